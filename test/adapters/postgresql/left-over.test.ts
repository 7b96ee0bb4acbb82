import { deployFunction, type LambdaFunction } from '@leasehold/lambda-emulator'
// What one invocation leaves behind does not reach the next: connections, statements, open transactions.
import { type GovernedPool, type PoolOptions, transaction } from '@leasehold/pg-adapter'
import pg from 'pg'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'

import { eventually, rejection } from '../eventually.ts'
import { type QuietLog, quietLog } from '../quiet-log.ts'
import { DRIVERS } from './drivers.ts'
import type { Wish } from './functions/leaving-handler.ts'
import { endAll, postgresUnderTest } from './server.ts'

const PATIENCE_MS = 60_000

function invocation(awsRequestId: string): { awsRequestId: string; getRemainingTimeInMillis(): number } {
  return { awsRequestId, getRemainingTimeInMillis: () => PATIENCE_MS }
}

describe.each(DRIVERS)('an invocation that leaves something behind, with %s', (_name, { Pool }) => {
  const under = postgresUnderTest()
  const pools: pg.Pool[] = []
  let log: QuietLog
  const open = (options: PoolOptions = {}): GovernedPool => {
    log = quietLog()
    const pool = new Pool({ ...under.target, max: 1, acquireTimeoutMs: 2_000, logger: log, ...options })
    pools.push(pool)
    return pool
  }
  afterEach(() => endAll(pools))

  it('has its checked-out client reclaimed, so that the next one does not wait', async () => {
    const pool = open()
    pool.leasehold.enter(invocation('1'))
    const client = await pool.connect()
    await client.query('begin')
    pool.leasehold.enter(invocation('2'))
    expect((await pool.query('select 7 as n')).rows).toEqual([{ n: 7 }])
    expect(pool.leasehold.stats()).toMatchObject({ reclaimed: 1, opened: 2 })
    expect(log.lines).toEqual([expect.stringContaining('still checked out')])
  })

  it('may give its client back late: nothing is thrown, and nobody loses a connection', async () => {
    const pool = open()
    pool.leasehold.enter(invocation('1'))
    const late = await pool.connect()
    pool.leasehold.enter(invocation('2'))
    const client = await pool.connect()
    late.release()
    expect(pool).toMatchObject({ totalCount: 1, idleCount: 0 })
    expect((await client.query('select 7 as n')).rows).toEqual([{ n: 7 }])
    client.release()
    expect(pool).toMatchObject({ totalCount: 1, idleCount: 1 })
    expect((await rejection(late.query('select 1'))).message).toContain('not queryable')
  })

  it("has its running statement fail with the driver's error", async () => {
    const pool = open()
    pool.leasehold.enter(invocation('1'))
    const left = rejection(pool.query('select pg_sleep(60)'))
    await eventually('it runs', async () => (await under.server.sessions()).some(({ idle }) => !idle))
    pool.leasehold.enter(invocation('2'))
    expect((await left).message).toContain('Connection terminated')
    expect((await pool.query('select 7 as n')).rows).toEqual([{ n: 7 }])
    expect(pool.totalCount).toBe(1)
  })

  it('leaves a client alone that is taken and given back within one', async () => {
    const pool = open()
    for (const id of ['1', '2', '3']) {
      pool.leasehold.enter(invocation(id))
      await pool.query('select 1')
    }
    expect(pool.leasehold.stats()).toMatchObject({ reclaimed: 0, opened: 1 })
  })

  it('keeps its client where the pool was told to keep it', async () => {
    const pool = open({ heldAcrossInvocations: 'keep', max: 2 })
    pool.leasehold.enter(invocation('1'))
    const client = await pool.connect()
    pool.leasehold.enter(invocation('2'))
    await pool.query('select 1')
    expect((await client.query('select 7 as n')).rows).toEqual([{ n: 7 }])
    client.release()
  })

  it('leaves no open transaction to the next, be its connection given back', async () => {
    const pool = open()
    pool.leasehold.enter(invocation('1'))
    const client = await pool.connect()
    await client.query('begin')
    await client.query('create table left_over (id int)')
    client.release()
    pool.leasehold.enter(invocation('2'))
    expect((await pool.query(`select to_regclass('left_over') as t`)).rows).toEqual([{ t: null }])
    expect(pool.leasehold.stats().reclaimed).toBe(1)
  })

  it('has its unfinished transaction rolled back', async () => {
    const pool = open()
    pool.leasehold.enter(invocation('1'))
    const begun = Promise.withResolvers<void>()
    const left = rejection(
      transaction(pool, async (client) => {
        await client.query('create table unfinished (id int)')
        begun.resolve()
        await eventually('the next one begins', () => pool.leasehold.stats().reclaimed > 0)
        await client.query('insert into unfinished values (1)')
      }),
    )
    await begun.promise
    pool.leasehold.enter(invocation('2'))
    expect((await pool.query(`select to_regclass('unfinished') as t`)).rows).toEqual([{ t: null }])
    expect((await left).message).toContain('not queryable')
    expect(pool.totalCount).toBe(1)
  })

  it('is reported with the place where the client was taken, if checkouts are traced', async () => {
    const pool = open({ traceCheckouts: true })
    pool.leasehold.enter(invocation('1'))
    const takesAndForgets = async (): Promise<unknown> => pool.connect()
    await takesAndForgets()
    pool.leasehold.enter(invocation('2'))
    expect(log.lines).toEqual([expect.stringContaining('takesAndForgets')])
  })

  it('is reported with the place where the statement was sent, if checkouts are traced', async () => {
    const pool = open({ traceCheckouts: true })
    pool.leasehold.enter(invocation('1'))
    const sendsAndForgets = (): Promise<unknown> => rejection(pool.query('select pg_sleep(60)'))
    const left = sendsAndForgets()
    await eventually('it runs', async () => (await under.server.sessions()).some(({ idle }) => !idle))
    pool.leasehold.enter(invocation('2'))
    await left
    expect(log.lines).toEqual([expect.stringContaining('sendsAndForgets')])
  })

  it('is reported with the way to find the place, if they are not', async () => {
    const pool = open()
    pool.leasehold.enter(invocation('1'))
    await pool.connect()
    pool.leasehold.enter(invocation('2'))
    expect(log.lines).toEqual([expect.stringContaining('set `traceCheckouts`')])
  })
})

describe('a real invocation that leaves something behind', () => {
  const under = postgresUnderTest()
  let lambda: LambdaFunction
  const invoke = async (wish: Wish): Promise<Record<string, unknown>> => {
    const { payload, error, latencyMs } = await lambda.invoke(wish, { settle: true })
    if (error !== undefined) throw new Error(`${error.errorType}: ${error.errorMessage}`)
    return { ...(payload as object | null), latencyMs }
  }

  beforeAll(async () => {
    const client = new pg.Client({ ...under.target })
    await client.connect()
    await client.query('create table counters (n int)')
    await client.query('insert into counters values (0)')
    await client.end()
  })
  beforeEach(async () => {
    lambda = deployFunction({
      name: 'leaving',
      taskRoot: import.meta.dirname,
      handler: 'functions/leaving.handler',
      environment: { POOL: JSON.stringify(under.target) },
      nodeArgs: ['--conditions=@leasehold/source'],
      timeoutMs: 20_000,
    })
    await lambda.scaleTo(1)
  })
  afterEach(() => lambda.dispose())

  it.each(['client', 'transaction', 'statement'] as const)(
    'leaves a %s, and the next one is answered at once on a connection of its own',
    async (leave) => {
      await invoke({ leave })
      const next = await invoke({ ask: 'select n from counters for update nowait' })
      expect(next).toMatchObject({ rows: [{ n: 0 }], stats: { reclaimed: 1, opened: 2 } })
      expect(next['latencyMs']).toBeLessThan(3_000)
      const log = lambda.environments.map((environment) => environment.log).join('\n')
      expect(log).toContain('in leaving')
    },
  )
})
