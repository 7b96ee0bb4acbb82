// A function inside a transaction: its own connection, whole or not at all.
import { transaction } from '@leasehold/mysql-adapter'
import type mysql2 from 'mysql2'
import { describe, expect, it } from 'vitest'

import { rejection } from '../eventually.ts'
import { accountsOn, type Inside } from './accounts.ts'
import { DRIVERS } from './drivers.ts'
import { onEveryServer } from './server.ts'

type Row = mysql2.RowDataPacket

await onEveryServer((under) => {
  describe.each(DRIVERS)('a transaction, with %s', (_name, driver) => {
    const accounts = accountsOn(under, driver)
    const { add, balances, open } = accounts

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

    it('keeps its connection: what is released or sent too late reaches nobody else', async () => {
      const pool = open({ connectionLimit: 1 })
      let kept: Inside | undefined
      await transaction(pool, async (connection) => {
        kept = connection
        expect(() => connection.release()).toThrow('belongs to its transaction')
        await add(connection, 1, 1)
      })
      expect((await rejection(add(kept as Inside, 1, 1000))).message).toContain('has ended')
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
      const bare = {} as mysql2.Pool
      expect(await rejection(transaction(bare, () => Promise.resolve()))).toMatchObject({
        code: 'INVALID_OPTIONS',
      })
    })
  })
})
