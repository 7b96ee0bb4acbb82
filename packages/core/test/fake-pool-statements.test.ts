// What the fake pool does with statements is what the adapters do: sent again, cancelled, prepared, reclaimed.

import { describe, expect, it } from 'vitest'

import { failureDetails } from '../src/errors.ts'
import { FakePool } from '../src/testing/fake-pool.ts'
import { FakeServer } from '../src/testing/fake-server.ts'
import type { FakeSession } from '../src/testing/fake-session.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { start } from './fake-pool-scene.ts'
import { ListeningLogger, rejectionOf } from './scene.ts'

describe('a statement of a pool', () => {
  it('is sent again where the server had ended the session before it came', async () => {
    const { server, pool } = start({ lease: 'off' })
    await pool.query('select 1')
    const [session] = server.sessions
    if (session !== undefined) session.server.leaseMs = 0
    await pool.query('insert 1')
    expect(server.committed).toEqual(['insert 1'])
    expect(pool.leasehold.stats().replayed).toBe(1)
  })

  it('is not sent again where its answer was lost, and is not done twice', async () => {
    const { server, pool } = start()
    server.cutNext('after')
    const error = await rejectionOf(pool.query('insert 1'))
    expect(failureDetails(error)).toMatchObject({ statementMayHaveRun: true, attempts: 1 })
    expect(server.committed).toEqual(['insert 1'])
    expect(pool.totalCount).toBe(0)
  })

  it('is sent again where it may run twice', async () => {
    const { server, pool, clock } = start()
    server.cutNext('after')
    server.cutNext('before')
    const result = pool.query('insert 1', { idempotent: true })
    await clock.advance(100)
    await result
    expect(server.committed).toEqual(['insert 1', 'insert 1'])
  })

  it('is cancelled at its limit, and its connection goes on', async () => {
    const { server, pool, clock } = start({ queryTimeoutMs: 100 })
    const rejected = rejectionOf(pool.query('sleep 5000'))
    await clock.advance(100)
    expect(await rejected).toMatchObject({ code: 'QUERY_TIMEOUT', cause: { code: 'FAKE_CANCELLED' } })
    await pool.query('select 1', { queryTimeoutMs: 0 })
    expect(pool.leasehold.stats()).toMatchObject({ opened: 1, cancelled: 1 })
    expect(server.sessions).toHaveLength(1)
  })

  it('whose server does not obey loses its connection', async () => {
    const { server, pool, clock } = start()
    server.obeysCancel = false
    const rejected = rejectionOf(pool.query('sleep 5000', { queryTimeoutMs: 100 }))
    await clock.advance(1_200)
    expect(failureDetails(await rejected)).toMatchObject({ statementMayHaveRun: true })
    expect(pool.totalCount).toBe(0)
  })

  it('is cancelled when its signal aborts', async () => {
    const { pool, clock } = start()
    const abort = new AbortController()
    const rejected = rejectionOf(pool.query('sleep 5000', { signal: abort.signal }))
    await clock.advance(10)
    abort.abort('enough')
    await clock.advance(0)
    expect(await rejected).toBe('enough')
    expect(pool.idleCount).toBe(1)
  })

  it('does not outlast the invocation', async () => {
    const { pool, clock } = start()
    pool.leasehold.enter({ awsRequestId: 'one', getRemainingTimeInMillis: () => 1_000 })
    const rejected = rejectionOf(pool.query('sleep 5000'))
    await clock.advance(501)
    expect(await rejected).toMatchObject({ code: 'QUERY_TIMEOUT' })
  })

  it('with a wrong limit is an error before anything is sent', async () => {
    const { server, pool } = start()
    const error = await rejectionOf(pool.query('insert 1', { queryTimeoutMs: -5 }))
    expect(error).toMatchObject({ code: 'INVALID_OPTIONS' })
    expect(server.statements).toEqual([])
  })
})

describe('a new session', () => {
  it('is prepared before its first use', async () => {
    const onSession = (session: FakeSession): Promise<unknown> => session.run('set time zone utc')
    const { server, pool } = start({ onSession })
    await pool.query('select 1')
    await pool.query('select 2')
    expect(server.statements).toEqual(['set time zone utc', 'select 1', 'select 2'])
  })

  it('that can’t be prepared is closed, and the request gets that error', async () => {
    const { server, pool } = start({ onSession: () => Promise.reject(new Error('no such time zone')) })
    expect(await rejectionOf(pool.query('select 1'))).toMatchObject({ message: 'no such time zone' })
    expect(server.sessions).toEqual([])
    expect(pool.totalCount).toBe(0)
  })

  it('whose preparation hangs is given up like a connect', async () => {
    const { pool, clock } = start({
      onSession: () => new Promise(() => {}),
      connectTimeoutMs: 100,
      resumeBudgetMs: 0,
    })
    const rejected = rejectionOf(pool.query('select 1'))
    await clock.advance(100)
    expect(await rejected).toMatchObject({ code: 'CONNECT_TIMEOUT' })
  })
})

describe('a connection that an invocation left checked out', () => {
  it('is free for the first request of the next one, in a pool of one', async () => {
    const { server, pool } = start({ traceCheckouts: true })
    pool.leasehold.enter({ awsRequestId: 'one', getRemainingTimeInMillis: () => 3_000 })
    const left = await pool.connect()
    await left.query('begin')
    await left.query('insert 1')
    pool.leasehold.enter({ awsRequestId: 'two', getRemainingTimeInMillis: () => 3_000 })
    await pool.query('insert 2')
    expect(server.committed).toEqual(['insert 2'])
    expect(pool.leasehold.stats().reclaimed).toBe(1)
    // Given back late, it costs nobody anything.
    left.release()
    expect(pool.totalCount).toBe(1)
  })

  it('is free for a request that finds no other, by the mark of the invocation alone', async () => {
    const env: Record<string, string> = { _X_AMZN_TRACE_ID: 'Root=1' }
    const clock = new ManualClock()
    const server = new FakeServer({ clock })
    const pool = new FakePool(server, { logger: new ListeningLogger(), lease: 'off' }, { clock, env })
    const left = await pool.connect()
    env['_X_AMZN_TRACE_ID'] = 'Root=2'
    await pool.query('insert 1')
    expect(left.session.open).toBe(false)
    expect(server.committed).toEqual(['insert 1'])
    expect(clock.pendingCount).toBe(0)
  })

  it('says in the report where it was taken, where that is traced', async () => {
    const { logger, pool } = start({ traceCheckouts: true })
    pool.leasehold.enter({ awsRequestId: 'one', getRemainingTimeInMillis: () => 3_000 })
    await pool.connect()
    pool.leasehold.enter({ awsRequestId: 'two', getRemainingTimeInMillis: () => 3_000 })
    expect(logger.warnings[0]).toMatch(/; taken at /)
  })
})
