// What a new session starts with, and what the server says of it from then on.
import { randomUUID } from 'node:crypto'

import { failureDetails, type GovernedPool, type PoolOptions } from '@leasehold/mysql-adapter'
import type mysql2 from 'mysql2'
import { afterEach, beforeEach, describe, expect, expectTypeOf, it } from 'vitest'

import { eventually, rejection } from '../eventually.ts'
import { quietLog } from '../quiet-log.ts'
import { DRIVERS } from './drivers.ts'
import { endAll, onEveryServer } from './server.ts'

interface Session {
  readonly hands: { inTransaction(): boolean; quiet(): boolean }
}

/** What the adapter keeps of a connection, whichever face of it is given. */
function sessionOf(connection: mysql2.PoolConnection | { connection: unknown }): Session {
  const core = 'connection' in connection ? connection.connection : connection
  return (core as Record<symbol, Session>)[Symbol.for('leasehold.mysql.session')] as Session
}

await onEveryServer((under) => {
  describe.each(DRIVERS)('a session, with %s', (_name, driver) => {
    const pools: mysql2.Pool[] = []
    const open = (options: PoolOptions = {}): GovernedPool => {
      const pool = driver.createPool({ ...under.target, connectionLimit: 1, logger: quietLog(), ...options })
      pools.push(pool)
      return pool
    }
    const isMariadb = (): boolean => under.server.engine === 'mariadb'
    const idleLimits = async (pool: GovernedPool): Promise<unknown> => {
      const idle = isMariadb() ? '@@session.idle_transaction_timeout' : 'null'
      const [rows] = await pool.promise().query(`select @@session.wait_timeout as lease, ${idle} as idle`)
      return (rows as unknown[])[0]
    }
    afterEach(() => endAll(pools))

    describe('that knows whether it is in a transaction', () => {
      let table: string
      beforeEach(async () => {
        table = `flags_${randomUUID().replaceAll('-', '')}`
        await under.server.admin(`create table ${under.target.database}.${table} (id int)`)
        await under.server.admin(`insert into ${under.target.database}.${table} values (0), (256), (65536)`)
      })

      it.each(['query', 'execute'] as const)('by the answers to %s', async (method) => {
        const held = await open().promise().getConnection()
        const { hands } = sessionOf(held)
        const steps: [statement: string, isInside: boolean][] = [
          [`select * from ${table}`, false],
          [`insert into ${table} values (1)`, false],
          ['start transaction', true],
          [`select * from ${table}`, true],
          [`select * from ${table} where id = -1`, true],
          [`update ${table} set id = id + 1`, true],
          ['commit', false],
          ['begin', true],
          ['rollback', false],
        ]
        for (const [statement, isInside] of steps) {
          // A server need not prepare these.
          const asked = /^(?:start|begin|rollback)/.test(statement) ? 'query' : method
          await held[asked](statement)
          expect([statement, hands.inTransaction()]).toEqual([statement, isInside])
        }
        held.release()
      })

      it('by the implicit commit of a statement that makes a table', async () => {
        const held = await open().promise().getConnection()
        await held.beginTransaction()
        await held.ping()
        expect(sessionOf(held).hands.inTransaction()).toBe(true)
        await held.query(`create table ${table}_more (id int)`)
        expect(sessionOf(held).hands.inTransaction()).toBe(false)
        await held.beginTransaction()
        await rejection(held.query('select nonsense'))
        expect(sessionOf(held).hands.inTransaction()).toBe(true)
        await held.rollback()
        held.release()
      })

      it('by the end of a stream, and not by its rows', async () => {
        const held = await open().promise().getConnection()
        const core = held.connection as unknown as mysql2.PoolConnection
        const { hands } = sessionOf(held)
        await held.beginTransaction()
        // Their first bytes are those of other packets.
        const texts = `select '' as v union all select 'x' union all select repeat('y', 70000)`
        for (const stream of [
          core.query(texts).stream({ highWaterMark: 1 }),
          core.execute(texts).stream({ highWaterMark: 1 }),
          core.query(`select id from ${table}`).stream(),
          core.execute(`select id from ${table}`).stream({ highWaterMark: 1 }),
        ]) {
          let rowCount = 0
          for await (const _row of stream) {
            rowCount += 1
            expect(hands.inTransaction()).toBe(true)
          }
          expect(rowCount).toBe(3)
        }
        await held.commit()
        expect(hands.inTransaction()).toBe(false)
        held.release()
      })

      it('by each of several statements in one, the last that succeeded included', async () => {
        const held = await open({ multipleStatements: true }).promise().getConnection()
        const { hands } = sessionOf(held)
        await held.query(`begin; select * from ${table}; insert into ${table} values (7)`)
        expect(hands.inTransaction()).toBe(true)
        await held.query('commit; select 1')
        expect(hands.inTransaction()).toBe(false)
        await rejection(held.query('begin; select nonsense'))
        expect(hands.inTransaction()).toBe(true)
        await held.rollback()
        held.release()
      })

      it('by its first statement, where it commits nothing by itself', async () => {
        const held = await open().promise().getConnection()
        await held.query('set autocommit = 0')
        expect(sessionOf(held).hands.inTransaction()).toBe(false)
        await held.query(`insert into ${table} values (1)`)
        expect(sessionOf(held).hands.inTransaction()).toBe(true)
        await held.rollback()
        held.release()
      })
    })

    it('limits how long a transaction may sit idle, where the server can, and keeps its lease', async () => {
      const options = { maxLeaseMs: 300_000, minLeaseMs: 2_000, censusEveryMs: 600_000 }
      const idle = isMariadb() ? { one: 60, two: 2, none: 0 } : { one: null, two: null, none: null }
      expect(await idleLimits(open(options))).toEqual({ lease: 300, idle: idle.one })
      expect(await idleLimits(open({ ...options, transactionIdleMs: 1_001 }))).toEqual({
        lease: 300,
        idle: idle.two,
      })
      const none = open({ ...options, transactionIdleMs: 0 })
      expect(await idleLimits(none)).toEqual({ lease: 300, idle: idle.none })
    })

    it('limits it also after it had to wait for a slot', async () => {
      const free = await under.fill()
      const pool = open({ minLeaseMs: 2_000 })
      const limits = idleLimits(pool)
      await eventually('it was refused', () => pool.leasehold.stats().refused > 0)
      await free()
      expect(await limits).toMatchObject({ idle: isMariadb() ? 60 : null })
    })

    it('is not kept alive by us inside a transaction that the server limits', async () => {
      const pool = open({ transactionIdleMs: 1_000, minLeaseMs: 1_000, maxLeaseMs: 1_000 })
      const held = await pool.promise().getConnection()
      await held.beginTransaction()
      expect(sessionOf(held).hands.quiet()).toBe(!isMariadb())
      if (isMariadb()) {
        await eventually('the server ends it', async () => (await under.server.sessions()).length === 0)
        expect((await rejection(held.query('select 1'))).message).toBeTruthy()
      } else await held.rollback()
      held.release()
    })

    it('is prepared by `onSession` before anybody has it, each time anew', async () => {
      const seen: number[] = []
      const pool = open({
        onSession: async (connection) => {
          seen.push(connection.threadId)
          await connection.query(`set @tenant = 'a'`)
        },
      })
      const held = await pool.promise().getConnection()
      expect((await held.query('select @tenant as t'))[0]).toEqual([{ t: 'a' }])
      held.destroy()
      expect((await pool.promise().query('select @tenant as t'))[0]).toEqual([{ t: 'a' }])
      await pool.promise().query('select 1')
      expect(seen).toHaveLength(2)
      expect(seen[0]).toBe(held.threadId)
    })

    it('is closed when `onSession` fails, and the request gets its error', async () => {
      const failure = new Error('no tenant')
      const pool = open({ onSession: () => Promise.reject(failure) })
      const error = await rejection(pool.promise().query('select 1'))
      expect(error).toBe(failure)
      expect(failureDetails(error)?.statementMayHaveRun).toBeUndefined()
      await eventually('it is closed', async () => (await under.server.sessions()).length === 0)
    })

    it('is closed when `onSession` takes too long', async () => {
      const pool = open({
        connectTimeoutMs: 300,
        resumeBudgetMs: 0,
        onSession: (connection) => connection.query('select sleep(30)'),
      })
      expect(await rejection(pool.promise().query('select 1'))).toMatchObject({ code: 'CONNECT_TIMEOUT' })
      await pool.promise().end()
    })

    it('outside a pool has no `onSession`, and says so', () => {
      const make = (): unknown => driver.createConnection({ ...under.target, onSession: () => {} })
      expect(make).toThrow('`onSession` needs a pool')
    })

    it("is the driver's own in its types, and takes our options of a statement", async () => {
      const pool = open()
      expectTypeOf(pool).toExtend<mysql2.Pool>()
      expectTypeOf(pool.promise()).toExtend<ReturnType<mysql2.Pool['promise']>>()
      const [rows] = await pool
        .promise()
        .query<mysql2.RowDataPacket[]>({ sql: 'select 7 as n', idempotent: true, queryTimeoutMs: 1_000 })
      expectTypeOf(rows).toEqualTypeOf<mysql2.RowDataPacket[]>()
      expect(rows).toEqual([{ n: 7 }])
    })
  })
})
