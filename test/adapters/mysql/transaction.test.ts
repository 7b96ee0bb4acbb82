// A function inside a transaction: whole or not at all, whatever the server, the network and the function do.
import {
  failureDetails,
  type GovernedPool,
  LeaseholdError,
  type PoolOptions,
  transaction,
} from '@leasehold/mysql-adapter'
import { type Relay, startRelay } from '@leasehold/test-databases'
import type mysql2 from 'mysql2'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'

import { eventually, rejection } from '../eventually.ts'
import { quietLog } from '../quiet-log.ts'
import { DRIVERS } from './drivers.ts'
import { endAll, onEveryServer } from './server.ts'

type Row = mysql2.RowDataPacket
type Connection = Parameters<Parameters<typeof transaction>[1]>[0]

await onEveryServer((under) => {
  describe.each(DRIVERS)('a transaction, with %s', (_name, driver) => {
    const pools: mysql2.Pool[] = []
    let relay: Relay

    const open = (options: PoolOptions = {}): GovernedPool => {
      const pool = driver.createPool({
        ...under.target,
        connectionLimit: 2,
        censusEveryMs: 600_000,
        logger: quietLog(),
        ...options,
      })
      pools.push(pool)
      return pool
    }
    const table = (): string => `${under.target.database}.accounts`
    const balances = async (): Promise<number[]> => {
      const rows = await under.server.admin(`select balance from ${table()} order by id`)
      return rows.map((row) => Number(row['balance']))
    }
    const add = (connection: Connection, id: number, amount: number): Promise<unknown> =>
      connection.query('update accounts set balance = balance + ? where id = ?', [amount, id])

    beforeAll(async () => {
      relay = await startRelay(under.server)
      await under.server.admin(`drop table if exists ${table()}`)
      await under.server.admin(`create table ${table()} (id int primary key, balance int)`)
    })
    beforeEach(async () => {
      await under.server.admin(`truncate ${table()}`)
      await under.server.admin(`insert into ${table()} values (1, 100), (2, 100)`)
    })
    afterEach(() => endAll(pools))
    afterAll(() => relay.close())

    it('commits what its function did, and gives its result and its connection back', async () => {
      const pool = open({ connectionLimit: 1 })
      const result = await transaction(pool, async (connection) => {
        await add(connection, 1, -30)
        const [rows] = await connection.query<Row[]>('select balance from accounts where id = 1')
        await connection.execute('update accounts set balance = balance + ? where id = 2', [30])
        return Number(rows[0]?.['balance'])
      })
      expect(result).toBe(70)
      expect(await balances()).toEqual([70, 130])
      await pool.promise().query('select 1')
      expect(pool.leasehold.stats().opened).toBe(1)
    })

    it('takes a promise pool as well, and gives a genuine promise connection of the pool', async () => {
      const pool = open()
      const face = pool.promise()
      const genuine = await face.getConnection()
      await transaction(face, async (connection) => {
        expect(connection.constructor).toBe(genuine.constructor)
        await add(connection, 1, 1)
      })
      genuine.release()
      expect(await balances()).toEqual([101, 100])
    })

    it('rolls back on whatever its function throws, and throws that', async () => {
      const pool = open({ connectionLimit: 1 })
      const thrown = new Error('no')
      const error = await rejection(
        transaction(pool, async (connection) => {
          await add(connection, 1, -30)
          throw thrown
        }),
      )
      expect(error).toBe(thrown)
      expect(await balances()).toEqual([100, 100])
      await pool.promise().query('select 1')
      expect(pool.leasehold.stats().opened).toBe(1)
    })

    it('begins as its options say', async () => {
      const pool = open()
      const isolated = transaction(
        pool,
        async (connection) => {
          await add(connection, 1, 1)
        },
        { isolation: 'serializable', readOnly: true },
      )
      expect(await rejection(isolated)).toMatchObject({ errno: 1792 })
      const read = transaction(pool, (connection) => connection.query('select 7 as n'), { readOnly: true })
      expect((await read)[0]).toEqual([{ n: 7 }])
      await transaction(pool, (connection) => add(connection, 1, 1), { isolation: 'read committed' })
      expect(await balances()).toEqual([101, 100])
    })

    it('does not interleave with another on the same pool', async () => {
      const pool = open()
      const transfer = (from: number, to: number): Promise<void> =>
        transaction(pool, async (connection) => {
          const [before] = await connection.query('select connection_id() as id')
          await add(connection, Math.min(from, to), 0)
          await add(connection, from, -10)
          await add(connection, to, 10)
          expect((await connection.query('select connection_id() as id'))[0]).toEqual(before)
        })
      await Promise.all([transfer(1, 2), transfer(2, 1), transfer(1, 2)])
      expect(await balances()).toEqual([90, 110])
    })

    it('is a savepoint inside another: only its own failure is rolled back', async () => {
      await transaction(open(), async (connection) => {
        await add(connection, 1, -1)
        await rejection(
          transaction(connection, async (inner) => {
            expect(inner).toBe(connection)
            await add(inner, 1, -10)
            throw new Error('no')
          }),
        )
        await transaction(connection, (inner) => add(inner, 2, 1))
      })
      expect(await balances()).toEqual([99, 101])
    })

    it('runs again, whole, after a deadlock', async () => {
      const pool = open()
      const both = Promise.withResolvers<void>()
      let runs = 0
      let waiting = 0
      const transfer = (from: number, to: number): Promise<void> =>
        transaction(pool, async (connection) => {
          runs += 1
          await add(connection, from, -10)
          waiting += 1
          if (waiting === 2) both.resolve()
          await both.promise
          await add(connection, to, 10)
        })
      await Promise.all([transfer(1, 2), transfer(2, 1)])
      expect(runs).toBe(3)
      expect(pool.leasehold.stats().rerun).toBe(1)
      expect(await balances()).toEqual([100, 100])
    })

    it('lets nothing run after a deadlock, though its function caught the error', async () => {
      const pool = open()
      const both = Promise.withResolvers<void>()
      let waiting = 0
      const refusals: unknown[][] = []
      const transfer = (from: number, to: number): Promise<void> =>
        transaction(
          pool,
          async (connection) => {
            await add(connection, from, -10)
            waiting += 1
            if (waiting === 2) both.resolve()
            await both.promise
            // Given at once, so that some wait behind the one that fails.
            const settled = await Promise.allSettled([
              add(connection, to, 10),
              add(connection, from, -1000),
              connection.execute('update accounts set balance = 0'),
            ])
            const failed = settled.filter((end) => end.status === 'rejected')
            if (failed.length === 0) return
            const last = await rejection(add(connection, from, -1000))
            refusals.push([...failed.map(({ reason }): unknown => reason), last])
          },
          { retries: 0 },
        )
      const ends = await Promise.allSettled([transfer(1, 2), transfer(2, 1)])
      const [loser] = ends.filter((end) => end.status === 'rejected')
      expect(loser?.reason).toMatchObject({ errno: 1213 })
      expect(refusals).toHaveLength(1)
      const [first, ...later] = refusals[0] as unknown[]
      expect(first).toBe(loser?.reason)
      expect(later).toHaveLength(3)
      for (const error of later) {
        expect(error).toMatchObject({ code: 'TRANSACTION_ABORTED', cause: { errno: 1213 } })
      }
    })

    it('is rolled back whole and run again after a lock wait that took too long', async () => {
      const pool = open()
      const other = await pool.promise().getConnection()
      await other.beginTransaction()
      await other.query('update accounts set balance = balance + 1 where id = 2')
      let runs = 0
      await transaction(pool, async (connection) => {
        runs += 1
        await connection.query('set session innodb_lock_wait_timeout = 1')
        await add(connection, 1, -10)
        if (runs === 2) await other.rollback()
        await add(connection, 2, 10)
      })
      other.release()
      expect(runs).toBe(2)
      expect(await balances()).toEqual([90, 110])
    })

    it('sends nothing more after a statement that commits by itself, and says so', async () => {
      const pool = open()
      const later: unknown[] = []
      const error = await rejection(
        transaction(pool, async (connection) => {
          await add(connection, 1, -10)
          await connection.query('create table if not exists ddl (id int)')
          later.push(await rejection(add(connection, 2, 10)))
        }),
      )
      expect(LeaseholdError.is(error) && error.code).toBe('TRANSACTION_ABORTED')
      expect(later).toMatchObject([{ code: 'TRANSACTION_ABORTED' }])
      // What was done until then has been committed by the server: nobody can undo it.
      expect(await balances()).toEqual([90, 100])
    })

    it('leaves nothing when its session is killed in the middle, and does not run again', async () => {
      const pool = open()
      let runs = 0
      const error = await rejection(
        transaction(pool, async (connection) => {
          runs += 1
          await add(connection, 1, -10)
          await under.server.terminate(connection.threadId)
          await add(connection, 2, 10)
        }),
      )
      expect(runs).toBe(1)
      expect(failureDetails(error)).toMatchObject({ statementMayHaveRun: false })
      await eventually('it is rolled back', async () => (await balances()).join() === '100,100')
    })

    it('says that its outcome is not known when the answer to COMMIT was lost', async () => {
      const pool = open({ port: relay.port })
      const error = await rejection(
        transaction(pool, async (connection) => {
          await add(connection, 1, -10)
          relay.dropReplies()
        }),
      )
      expect(failureDetails(error)).toMatchObject({ commitOutcome: 'unknown', statementMayHaveRun: true })
      await eventually('it was committed', async () => (await balances()).join() === '90,100')
    })

    it('destroys its connection when ROLLBACK fails, and throws the first error', async () => {
      const pool = open({ port: relay.port, connectionLimit: 1 })
      const thrown = new Error('no')
      let threadId: number | undefined
      const error = await rejection(
        transaction(pool, async (connection) => {
          ;({ threadId } = connection)
          await add(connection, 1, -10)
          relay.dropReplies()
          throw thrown
        }),
      )
      expect(error).toBe(thrown)
      const next = await pool.promise().getConnection()
      expect(next.threadId).not.toBe(threadId)
      next.release()
      expect(await balances()).toEqual([100, 100])
    })

    it('is cancelled on the server when its signal aborts, and rolled back', async () => {
      const pool = open()
      const other = await pool.promise().getConnection()
      await other.beginTransaction()
      await other.query('update accounts set balance = balance + 1 where id = 2')
      const stop = new AbortController()
      const running = rejection(
        transaction(
          pool,
          async (connection) => {
            await add(connection, 1, -10)
            setTimeout(() => stop.abort(new Error('enough')), 100)
            await add(connection, 2, 10)
          },
          { signal: stop.signal },
        ),
      )
      expect((await running).message).toBe('enough')
      await other.rollback()
      other.release()
      await eventually('nothing stays', async () => (await balances()).join() === '100,100')
    })

    it('keeps its connection: what is released or sent too late reaches nobody else', async () => {
      const pool = open({ connectionLimit: 1 })
      let kept: Connection | undefined
      await transaction(pool, async (connection) => {
        kept = connection
        expect(() => connection.release()).toThrow('belongs to its transaction')
        await add(connection, 1, 1)
      })
      expect((await rejection(add(kept as Connection, 1, 1000))).message).toContain('has ended')
      const held = await pool.promise().getConnection()
      held.release()
      expect(await balances()).toEqual([101, 100])
    })

    it('runs on a connection that the application holds, which stays with it', async () => {
      const pool = open({ connectionLimit: 1 })
      const held = await pool.promise().getConnection()
      await transaction(held, (connection) => add(connection, 1, 1))
      await rejection(
        transaction(held, async (connection) => {
          await add(connection, 1, 10)
          throw new Error('no')
        }),
      )
      expect((await held.query('select 7 as n'))[0]).toEqual([{ n: 7 }])
      await held.beginTransaction()
      expect(await rejection(transaction(held, () => Promise.resolve()))).toMatchObject({
        code: 'INVALID_OPTIONS',
      })
      await held.rollback()
      held.release()
      expect(await balances()).toEqual([101, 100])
    })

    it('wants a governed pool', async () => {
      const bare = {} as GovernedPool
      expect(await rejection(transaction(bare, () => Promise.resolve()))).toMatchObject({
        code: 'INVALID_OPTIONS',
      })
    })
  })
})
