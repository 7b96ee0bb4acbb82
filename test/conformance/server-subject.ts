// A conformance subject over a real server: the parts that do not depend on its dialect.
import { deployFunction } from '@leasehold/lambda-emulator'
import { type DatabaseServer, type Relay, startRelay } from '@leasehold/test-databases'

import { openPool, runOn, type Target } from './askers.ts'
import type { Question } from './functions/pool-handler.ts'
import { eventually, type FrozenPool, type PoolSettings, type Subject } from './subject.ts'

/** What an engine adds: its codes, its errors, its ways to be read-only. */
export type EngineParts = Pick<
  Subject,
  'leaseGranularityMs' | 'saturatedCodes' | 'writeToReadOnly' | 'specimens' | 'classify'
> & {
  /** A session nobody governs, or undefined when the server refuses one more. */
  openBare(server: DatabaseServer): Promise<{ close(): Promise<void> } | undefined>
  /** Undoes what `writeToReadOnly` changed on the server. */
  restoreWrites?(): Promise<void>
}

export async function serverSubject(
  start: () => Promise<DatabaseServer>,
  partsOf: (server: DatabaseServer) => EngineParts,
): Promise<Subject> {
  const server = await start()
  const relay = await startRelay(server)
  const parts = partsOf(server)
  const bare: { close(): Promise<void> }[] = []
  const frozenPools = new Set<FrozenPool>()

  const target = ({ relayed, password, ...settings }: PoolSettings = {}): Target => ({
    engine: server.engine,
    host: server.host,
    port: relayed === true ? relay.port : server.port,
    database: server.database,
    ...server.login,
    ...(password === undefined ? {} : { password }),
    ...settings,
  })

  const free = async (count: number): Promise<void> => {
    await Promise.all(bare.splice(0, count).map((session) => session.close()))
  }

  const setUp = openPool(target())
  await runOn(setUp)('create table writes (id int not null)')
  await setUp.end()
  const table = server.engine === 'postgresql' ? 'writes' : `${server.database}.writes`

  return {
    ...parts,
    written: async () =>
      (await server.admin(`select id from ${table} order by id`)).map(({ id }) => Number(id)),
    name: server.name,
    slots: server.slots,
    overhead: server.controlSessions,
    network: networkOf(relay),
    openPool: (settings) => openPool(target(settings)),
    openFrozenPool: async (settings) => {
      const pool = await openFrozen(target(settings), () => frozenPools.delete(pool))
      frozenPools.add(pool)
      return pool
    },
    sessions: async () => (await server.sessions()).map(({ id }) => id),
    terminate: (id) => server.terminate(id),
    restart: () => server.restart(),
    fill: async () => {
      for (;;) {
        const session = await parts.openBare(server)
        if (session === undefined) return free
        bare.push(session)
      }
    },
    reset: async () => {
      relay.delayMs = 0
      relay.resume()
      relay.reset()
      await free(Number.POSITIVE_INFINITY)
      for (const pool of frozenPools) await pool.dispose()
      await parts.restoreWrites?.()
      await server.admin(`delete from ${table}`)
      // A failed case may leave its pool open: its sessions must not count against the next one.
      for (const { id } of await server.sessions()) await server.terminate(id)
      await eventually('no session left', async () => (await server.sessions()).length === 0)
    },
    dispose: async () => {
      await relay.close()
      await server.dispose()
    },
  }
}

function networkOf(relay: Relay): Subject['network'] {
  return relay
}

async function openFrozen(target: Target, onDispose: () => void): Promise<FrozenPool> {
  const lambda = deployFunction({
    name: 'conformance',
    taskRoot: import.meta.dirname,
    handler: 'functions/pool.handler',
    environment: { CONFORMANCE_TARGET: JSON.stringify(target) },
    nodeArgs: ['--conditions=@leasehold/source'],
    timeoutMs: 30_000,
  })
  const ask = async (question: Question): Promise<unknown> => {
    const { payload, error } = await lambda.invoke(question, { settle: true })
    if (error !== undefined) throw new Error(`${error.errorType}: ${error.errorMessage}`)
    return payload
  }
  await lambda.scaleTo(1)
  return {
    echo: async (value) => String(await ask({ ask: 'echo', value })),
    sessionId: async () => Number(await ask({ ask: 'sessionId' })),
    leaseMs: async () => Number(await ask({ ask: 'leaseMs' })),
    stats: async () => (await ask({ ask: 'stats' })) as Awaited<ReturnType<FrozenPool['stats']>>,
    dispose: async () => {
      onDispose()
      await lambda.dispose()
    },
  }
}
