// After hundreds of failures of every kind: no connection, listener or timer more than before, and no rejection unheard.
import { getEventListeners } from 'node:events'

import { createPool as createMysqlPool } from '@leasehold/mysql-adapter'
import { createPool as createPgPool } from '@leasehold/pg-adapter'
import { availability, type DatabaseServer, type Relay, startRelay } from '@leasehold/test-databases'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { eventually } from './eventually.ts'
import { quietLog } from './quiet-log.ts'

const CONNECTIONS = 4
const ROUNDS = 40
const LONG_SEC = 20

interface Limits {
  readonly signal?: AbortSignal
  readonly queryTimeoutMs?: number
}

interface Subject {
  query(text: string, limits?: Limits): Promise<unknown>
  end(): Promise<void>
}

function openPg(options: object): Subject {
  const pool = createPgPool({ ...options, max: CONNECTIONS })
  return {
    query: (text, limits = {}) => pool.query({ text, ...limits }),
    end: () => pool.end(),
  }
}

function openMysql(options: object): Subject {
  const pool = createMysqlPool({ ...options, connectionLimit: CONNECTIONS }).promise()
  return {
    query: (sql, limits = {}) => pool.query({ sql, ...limits }),
    end: () => pool.end(),
  }
}

const engines = (await availability()).filter(({ available }) => available)

describe.each(engines)('200 failures on $name', ({ engine, start }) => {
  let server: DatabaseServer
  let relay: Relay

  beforeAll(async () => {
    server = await start({ maxConnections: 20 })
    relay = await startRelay(server)
  })
  afterAll(async () => {
    await relay.close()
    await server.dispose()
  })

  it('leave nothing behind', { timeout: 120_000 }, async () => {
    const unheard: unknown[] = []
    const hear = (what: unknown): void => void unheard.push(what)
    process.on('warning', hear)
    process.on('unhandledRejection', hear)
    const { host, port } = relay
    const { database, login } = server
    const options = { host, port, database, ...login, logger: quietLog() }
    const subject = engine === 'postgresql' ? openPg(options) : openMysql(options)
    // A bare `sleep` would be ended with a result.
    const long =
      engine === 'postgresql'
        ? `select pg_sleep(${LONG_SEC})`
        : `select sleep(${LONG_SEC}) from information_schema.columns`
    // One for all: each statement must take its listener away again.
    const { signal } = new AbortController()
    const busy = async (): Promise<number[]> =>
      (await server.sessions()).filter(({ idle }) => !idle).map(({ id }) => id)
    const killBusy = async (): Promise<boolean> => {
      const ids = await busy()
      for (const id of ids) await server.terminate(id)
      return ids.length === 0
    }

    const fates: PromiseSettledResult<unknown>[] = []
    const settle = async (...work: Promise<unknown>[]): Promise<void> => {
      fates.push(...(await Promise.allSettled(work)))
    }
    /** Again and again: it may have hit a statement of the pool's own before. */
    const settleBy = async (act: () => Promise<unknown>, work: Promise<unknown>): Promise<void> => {
      const settled = settle(work).then(() => true)
      await eventually('it settles', async () => {
        await act()
        return Promise.race([settled, new Promise<false>((resolve) => setTimeout(resolve, 5, false))])
      })
    }
    const cutBusy = async (): Promise<void> => {
      if ((await busy()).length > 0) relay.reset()
    }
    for (let round = 0; round < ROUNDS; round += 1) {
      await settle(subject.query('select nothing_of_the_kind'))
      await settle(subject.query(long, { signal: AbortSignal.timeout(5) }))
      await settle(subject.query(long, { signal, queryTimeoutMs: 5 }))
      await settleBy(killBusy, subject.query(long, { signal }))
      await settleBy(cutBusy, subject.query(long, { signal }))
      // The server does not notice before it would answer.
      await eventually('what was cut has ended', killBusy)
      await settle(subject.query('select 1', { signal }))
    }
    const rejected = fates.filter(({ status }) => status === 'rejected')
    expect(rejected).toHaveLength(5 * ROUNDS)
    expect(fates).toHaveLength(6 * ROUNDS)
    expect(getEventListeners(signal, 'abort')).toEqual([])

    // Every place of the pool can be taken again, and no session stands beside them.
    const nap = engine === 'postgresql' ? 'select pg_sleep(0.2)' : 'select sleep(0.2)'
    await Promise.all(Array.from({ length: CONNECTIONS * 2 }, () => subject.query(nap)))
    await eventually(
      'no more sessions than places',
      async () => (await server.sessions()).length <= CONNECTIONS,
    )
    await subject.end()
    await eventually('no session is left', async () => (await server.sessions()).length === 0)
    process.off('warning', hear)
    process.off('unhandledRejection', hear)
    expect(unheard).toEqual([])
  })
})
