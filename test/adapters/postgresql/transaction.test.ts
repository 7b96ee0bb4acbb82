// Transactions on real servers: whole or not at all.
import { createPool, transaction } from '@leasehold/pg-adapter'
import type pg from 'pg'
import { describe, expect, it } from 'vitest'

import { rejection } from '../eventually.ts'
import { accountsUnderTest, add } from './accounts.ts'
import { DRIVERS } from './drivers.ts'

describe.each(DRIVERS)('a transaction, with %s', (_name, driver) => {
  const accounts = accountsUnderTest(driver)
  const DriverClient = Object.getPrototypeOf(driver.Client) as typeof pg.Client

  it('commits what its function did, resolves to its result, and gives its connection back', async () => {
    const pool = accounts.open()
    const left = await transaction(pool, async (client) => {
      expect(client).toBeInstanceOf(DriverClient)
      await add(client, 1, -30)
      const { rows } = await client.query<{ amount: number }>('select amount from accounts where id = 1')
      await add(client, 2, 100 - (rows[0]?.amount ?? 0))
      return rows[0]?.amount
    })
    expect(left).toBe(70)
    expect(await accounts.balances()).toEqual([70, 130])
    expect(pool).toMatchObject({ totalCount: 1, idleCount: 1 })
  })

  it('runs on a pool that `createPool` made', async () => {
    const pool = createPool({ ...accounts.under.target, max: 1 })
    await transaction(pool, (client) => add(client, 1, 1))
    await pool.end()
    expect(await accounts.balances()).toEqual([101, 100])
  })

  it('rolls back and throws what its function threw', async () => {
    const pool = accounts.open()
    const mine = new Error('no')
    const error = await rejection(
      transaction(pool, async (client) => {
        await add(client, 1, -30)
        throw mine
      }),
    )
    expect(error).toBe(mine)
    expect(await accounts.balances()).toEqual([100, 100])
    expect(pool).toMatchObject({ totalCount: 1, idleCount: 1 })
  })

  it('is committed nowhere when the error of a statement was caught and not thrown on', async () => {
    const pool = accounts.open()
    const error = await rejection(
      transaction(pool, async (client) => {
        await add(client, 1, -30)
        await client.query('selec 1').catch(() => {})
      }),
    )
    expect(error).toMatchObject({ code: 'TRANSACTION_ABORTED' })
    expect(await accounts.balances()).toEqual([100, 100])
    expect((await pool.query('select 7 as n')).rows).toEqual([{ n: 7 }])
  })

  it('inside another is a savepoint: only its own failure undoes it', async () => {
    await transaction(accounts.open(), async (client) => {
      await add(client, 1, 1)
      await rejection(
        transaction(client, async (inner) => {
          await add(inner, 1, 10)
          await inner.query('selec 1')
        }),
      )
      await transaction(client, (inner) => add(inner, 2, 1))
    })
    expect(await accounts.balances()).toEqual([101, 101])
  })

  it('has the isolation and the read-only mode that it was asked for', async () => {
    const shown = await transaction(
      accounts.open(),
      async (client) =>
        (
          await client.query(
            `select current_setting('transaction_isolation') as i, current_setting('transaction_read_only') as r`,
          )
        ).rows,
      { isolation: 'repeatable read', readOnly: true },
    )
    expect(shown).toEqual([{ i: 'repeatable read', r: 'on' }])
  })
})
