// What one invocation leaves behind does not reach the next: connections, statements, open transactions.
import type { GovernedPool, InvocationContext, PoolOptions } from '@leasehold/mysql-adapter'
import type mysql2 from 'mysql2'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { eventually, rejection } from '../eventually.ts'
import { type QuietLog, quietLog } from '../quiet-log.ts'
import { DRIVERS } from './drivers.ts'
import { endAll, onEveryServer } from './server.ts'

const PATIENCE_MS = 60_000
const LONG =
  'select count(*) from information_schema.columns a, information_schema.columns b, information_schema.columns c'

function invocation(awsRequestId: string): InvocationContext {
  return { awsRequestId, getRemainingTimeInMillis: () => PATIENCE_MS }
}

await onEveryServer((under) => {
  describe.each(DRIVERS)('an invocation that leaves something behind, with %s', (_name, driver) => {
    const pools: mysql2.Pool[] = []
    let log: QuietLog
    const open = (options: PoolOptions = {}): GovernedPool => {
      log = quietLog()
      const pool = driver.createPool({
        ...under.target,
        connectionLimit: 1,
        acquireTimeoutMs: 2_000,
        logger: log,
        ...options,
      })
      pools.push(pool)
      return pool
    }
    const table = (): string => `${under.target.database}.left_over`
    const rowCount = async (): Promise<number> =>
      Number((await under.server.admin(`select count(*) as n from ${table()}`))[0]?.['n'])
    const isRunning = (): Promise<void> =>
      eventually('it runs', async () => (await under.server.sessions()).some(({ idle }) => !idle))

    beforeEach(async () => {
      await under.server.admin(`drop table if exists ${table()}`)
      await under.server.admin(`create table ${table()} (id int)`)
    })
    afterEach(() => endAll(pools))

    it('has its checked-out connection reclaimed, so that the next one does not wait', async () => {
      const pool = open()
      pool.leasehold.enter(invocation('1'))
      const left = await pool.promise().getConnection()
      await left.beginTransaction()
      await left.query('insert into left_over values (1)')
      pool.leasehold.enter(invocation('2'))
      expect((await pool.promise().query('select 7 as n'))[0]).toEqual([{ n: 7 }])
      expect(pool.leasehold.stats()).toMatchObject({ reclaimed: 1, opened: 2 })
      expect(log.lines).toEqual([expect.stringContaining('still checked out')])
      await eventually('it is rolled back', async () => (await rowCount()) === 0)
    })

    it('has the connection of its stream reclaimed, though nobody listens for the error', async () => {
      const pool = open()
      pool.leasehold.enter(invocation('1'))
      const stream = pool.query('select * from information_schema.columns a limit 2000').stream()
      await new Promise((resolve) => stream.once('data', () => resolve(stream.pause())))
      pool.leasehold.enter(invocation('2'))
      expect((await pool.promise().query('select 7 as n'))[0]).toEqual([{ n: 7 }])
      expect(pool.leasehold.stats()).toMatchObject({ reclaimed: 1, opened: 2 })
    })

    it('may give its connection back late: nothing is thrown, and nobody loses a connection', async () => {
      const pool = open()
      pool.leasehold.enter(invocation('1'))
      const late = await pool.promise().getConnection()
      pool.leasehold.enter(invocation('2'))
      const held = await pool.promise().getConnection()
      late.release()
      late.release()
      const waiting = pool.promise().query('select 8 as n')
      expect((await held.query('select 7 as n'))[0]).toEqual([{ n: 7 }])
      held.release()
      expect((await waiting)[0]).toEqual([{ n: 8 }])
      late.destroy()
      expect((await pool.promise().query('select 9 as n'))[0]).toEqual([{ n: 9 }])
      expect(pool.leasehold.stats().opened).toBe(2)
      expect((await rejection(late.query('select 1'))).message).toContain('closed state')
    })

    it("has its running statement fail with the driver's error, and what waited behind it", async () => {
      const pool = open()
      pool.leasehold.enter(invocation('1'))
      const held = await pool.promise().getConnection()
      const left = [rejection(held.query(LONG)), rejection(held.query('select 1'))]
      await isRunning()
      pool.leasehold.enter(invocation('2'))
      for (const error of await Promise.all(left)) expect(error.code).toBe('PROTOCOL_CONNECTION_LOST')
      expect((await pool.promise().query('select 7 as n'))[0]).toEqual([{ n: 7 }])
    })

    it('leaves a connection alone that is taken and given back within one', async () => {
      const pool = open()
      for (const id of ['1', '2', '3']) {
        pool.leasehold.enter(invocation(id))
        await pool.promise().query('select 1')
      }
      expect(pool.leasehold.stats()).toMatchObject({ reclaimed: 0, opened: 1 })
    })

    it('keeps its connection where the pool was told to keep it', async () => {
      const pool = open({ heldAcrossInvocations: 'keep', connectionLimit: 2 })
      pool.leasehold.enter(invocation('1'))
      const held = await pool.promise().getConnection()
      pool.leasehold.enter(invocation('2'))
      await pool.promise().query('select 1')
      expect((await held.query('select 7 as n'))[0]).toEqual([{ n: 7 }])
      held.release()
    })

    it('leaves no open transaction to the next, be its connection given back', async () => {
      const pool = open()
      pool.leasehold.enter(invocation('1'))
      const held = await pool.promise().getConnection()
      await held.beginTransaction()
      await held.query('insert into left_over values (1)')
      held.release()
      pool.leasehold.enter(invocation('2'))
      await pool.promise().query('insert into left_over values (2)')
      expect(pool.leasehold.stats()).toMatchObject({ reclaimed: 1, opened: 2 })
      await eventually('the first is rolled back', async () => (await rowCount()) === 1)
    })

    it("makes room by itself where Lambda's mark alone tells that another has begun", async () => {
      const pool = open()
      const marks = process.env['_X_AMZN_TRACE_ID']
      try {
        process.env['_X_AMZN_TRACE_ID'] = 'Root=1-00000001'
        await pool.promise().query('select 1')
        await pool.promise().getConnection()
        process.env['_X_AMZN_TRACE_ID'] = 'Root=1-00000002'
        expect((await pool.promise().query('select 7 as n'))[0]).toEqual([{ n: 7 }])
      } finally {
        if (marks === undefined) delete process.env['_X_AMZN_TRACE_ID']
        else process.env['_X_AMZN_TRACE_ID'] = marks
      }
      expect(pool.leasehold.stats().reclaimed).toBe(1)
    })

    it('is reported with the place where the connection was taken, if checkouts are traced', async () => {
      const pool = open({ traceCheckouts: true })
      pool.leasehold.enter(invocation('1'))
      const takesAndForgets = async (): Promise<unknown> => pool.promise().getConnection()
      await takesAndForgets()
      pool.leasehold.enter(invocation('2'))
      expect(log.lines).toEqual([expect.stringContaining('takesAndForgets')])
    })

    it('is reported with the place where the statement was sent, if checkouts are traced', async () => {
      const pool = open({ traceCheckouts: true })
      pool.leasehold.enter(invocation('1'))
      // So that what is seen to run is the statement, and not the first one of a new session.
      await pool.promise().query('select 1')
      await eventually('the first census', () => pool.leasehold.stats().censuses > 0)
      const sendsAndForgets = (): Promise<unknown> => rejection(pool.promise().query(LONG))
      const left = sendsAndForgets()
      await isRunning()
      pool.leasehold.enter(invocation('2'))
      await left
      expect(log.lines).toEqual([expect.stringContaining('sendsAndForgets')])
    })

    it('is reported with the way to find the place, if they are not', async () => {
      const pool = open()
      pool.leasehold.enter(invocation('1'))
      await pool.promise().getConnection()
      pool.leasehold.enter(invocation('2'))
      expect(log.lines).toEqual([expect.stringContaining('set `traceCheckouts`')])
    })
  })
})
