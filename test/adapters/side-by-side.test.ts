// Several invocations in one thread, as on Managed Instances: what is one's is not taken for another's.
import { AsyncLocalStorage } from 'node:async_hooks'

import { processWide } from '@leasehold/core'
import { createPool as createMysqlPool } from '@leasehold/mysql-adapter'
import { createPool as createPgPool } from '@leasehold/pg-adapter'
import { startMariadb, startPostgres, type DatabaseServer } from '@leasehold/test-databases'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'

import { openPool, runOn } from '../conformance/askers.ts'
import type { TestPool } from '../conformance/subject.ts'
import { eventually } from './eventually.ts'
import { quietLog } from './quiet-log.ts'

const SERVERS = { PostgreSQL: startPostgres, MariaDB: startMariadb }
const SHORT_MS = 1_200
const LONG_MS = 60_000

describe.each(Object.entries(SERVERS))('invocations side by side, on %s', (_, startServer) => {
  let server: DatabaseServer
  let pool: TestPool

  beforeAll(async () => {
    server = await startServer()
  })
  afterAll(async () => {
    await server.dispose()
  })
  beforeEach(() => {
    vi.stubEnv('AWS_LAMBDA_FUNCTION_NAME', 'shop')
    vi.stubEnv('AWS_LAMBDA_MAX_CONCURRENCY', '64')
    const { engine, host, port, database, login } = server
    pool = openPool({ engine, host, port, database, ...login, max: 1, logger: quietLog() })
  })
  afterEach(async () => {
    vi.unstubAllEnvs()
    await pool.end()
    await eventually('no session is left', async () => (await server.sessions()).length === 0)
  })

  /** Runs `handler` in a context of its own, as the runtime client does. */
  async function invoke<T>(awsRequestId: string, leftMs: number, handler: () => Promise<T>): Promise<T> {
    await new Promise((resolve) => setImmediate(resolve))
    const endMs = performance.now() + leftMs
    pool.enter({ awsRequestId, getRemainingTimeInMillis: () => endMs - performance.now() })
    return handler()
  }

  it('one gets what another could not give back, in a context of its own', async () => {
    const forgetful = await invoke('forgetful', SHORT_MS, () => pool.connect())
    const patient = await invoke('patient', LONG_MS, async () => {
      const held = await pool.connect()
      expect(pool.stats().reclaimed).toBe(1)
      // The end of the other one is not its own, for waiting or for statements.
      await held.busy(SHORT_MS)
      return held
    })
    expect(pool.stats()).toMatchObject({ opened: 2, reclaimed: 1 })
    await expect(forgetful.echo('anybody there?')).rejects.toThrow()
    patient.release()
  })

  it('one keeps what another gave back to it just before its own end', async () => {
    const early = await invoke('early', SHORT_MS, () => pool.connect())
    const waiting = invoke('late', LONG_MS, () => pool.connect())
    await new Promise((resolve) => setTimeout(resolve, SHORT_MS / 4))
    early.release()
    const late = await waiting
    await new Promise((resolve) => setTimeout(resolve, 1.5 * SHORT_MS))
    expect(await late.echo('still here')).toBe('still here')
    expect(pool.stats()).toMatchObject({ opened: 1, reclaimed: 0 })
    late.release()
  })

  it('one that goes on in a callback is not taken for the one that opened the connection', async () => {
    const { engine, host, port, database, login } = server
    const options = { host, port, database, ...login, logger: quietLog() }
    const ofPostgres = engine === 'postgresql'
    const native = ofPostgres ? createPgPool(options) : createMysqlPool({ ...options, connectionLimit: 1 })
    const ask = native.query.bind(native) as (sql: string, done: (error: Error | null) => void) => void
    const store = new AsyncLocalStorage<string>()
    const InvokeStore = {
      getContext: () => (store.getStore() === undefined ? undefined : contexts[store.getStore() as 'opener']),
      getRequestId: () => store.getStore() ?? '-',
    }
    const contexts = { opener: {}, caller: {} }
    vi.stubGlobal('awslambda', { InvokeStore })
    const now = Date.now()
    processWide().running = new Map([
      ['opener', now + SHORT_MS],
      ['caller', now + LONG_MS],
    ])
    const asked = (handler: (done: (error: Error | null) => void) => void): Promise<void> =>
      new Promise((resolve, reject) => {
        handler((error) => (error instanceof Error ? reject(error) : resolve()))
      })
    await store.run('opener', () => asked((done) => ask('select 1', done)))
    await new Promise((resolve) => setTimeout(resolve, 1.5 * SHORT_MS))
    const busy = ofPostgres ? 'select pg_sleep(1.5)' : 'select sleep(1.5)'
    await store.run('caller', () =>
      asked((done) => ask('select 2', (error) => (error instanceof Error ? done(error) : ask(busy, done)))),
    )
    expect(native.leasehold.stats()).toMatchObject({ opened: 1, reclaimed: 0 })
    await native.end()
    vi.unstubAllGlobals()
    processWide().running = undefined
  })

  it('one does not get the transaction that another left open', async () => {
    const run = runOn(pool)
    const id = await pool.sessionId()
    const begun = invoke('careless', LONG_MS, () => run('begin'))
    const other = await invoke('careful', LONG_MS, () => pool.sessionId())
    await begun
    expect(other).not.toBe(id)
    expect(pool.stats().reclaimed).toBe(1)
  })
})
