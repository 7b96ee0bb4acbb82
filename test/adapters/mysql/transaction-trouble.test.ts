// What becomes of a transaction when the server ends it, the network fails, or its signal aborts.
import { failureDetails, LeaseholdError, transaction } from '@leasehold/mysql-adapter'
import { describe, expect, it } from 'vitest'

import { eventually, rejection } from '../eventually.ts'
import { accountsOn } from './accounts.ts'
import { DRIVERS } from './drivers.ts'
import { onEveryServer } from './server.ts'

await onEveryServer((under) => {
  describe.each(DRIVERS)('a transaction in trouble, with %s', (_name, driver) => {
    const accounts = accountsOn(under, driver)
    const { add, balances, open } = accounts

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
      const loser = ends.find((end) => end.status === 'rejected')
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
      const pool = open({ port: accounts.relay.port })
      const error = await rejection(
        transaction(pool, async (connection) => {
          await add(connection, 1, -10)
          accounts.relay.dropReplies()
        }),
      )
      expect(failureDetails(error)).toMatchObject({ commitOutcome: 'unknown', statementMayHaveRun: true })
      await eventually('it was committed', async () => (await balances()).join() === '90,100')
    })

    it('destroys its connection when ROLLBACK fails, and throws the first error', async () => {
      const pool = open({ port: accounts.relay.port, connectionLimit: 1 })
      const thrown = new Error('no')
      let threadId: number | undefined
      const error = await rejection(
        transaction(pool, async (connection) => {
          ;({ threadId } = connection)
          await add(connection, 1, -10)
          accounts.relay.dropReplies()
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
  })
})
