// Transactions beside each other: never mixed, and run again where they lost a race.
import { transaction } from '@leasehold/pg-adapter'
import { describe, expect, it } from 'vitest'

import { rejection } from '../eventually.ts'
import { accountsUnderTest, add, idOf } from './accounts.ts'
import { DRIVERS } from './drivers.ts'

/** Resolves when it was called `count` times; calls beyond that pass. */
function meeting(count: number): () => Promise<void> {
  const all = Promise.withResolvers<void>()
  let missing = count
  return () => {
    missing -= 1
    if (missing <= 0) all.resolve()
    return all.promise
  }
}

describe.each(DRIVERS)('a transaction beside others, with %s', (_name, driver) => {
  const accounts = accountsUnderTest(driver)

  it('shares its connection with nobody, however many run at once', async () => {
    const pool = accounts.open({ max: 3 })
    const meet = meeting(3)
    const ids = await Promise.all(
      [1, 2, 3].map((turn) =>
        transaction(pool, async (client) => {
          await meet()
          const seen = new Set<number>()
          for (let statement = 0; statement < 5; statement += 1) seen.add(await idOf(client))
          await add(client, 1 + (turn % 2), turn)
          return [...seen]
        }),
      ),
    )
    expect(ids.every((seen) => seen.length === 1)).toBe(true)
    expect(new Set(ids.flat()).size).toBe(3)
  })

  it('waits for the one before it where there is one connection, and does not mix with it', async () => {
    const pool = accounts.open({ max: 1 })
    const log: string[] = []
    await Promise.all(
      ['a', 'b'].map((name) =>
        transaction(pool, async (client) => {
          log.push(`${name} begins`)
          await add(client, 1, 1)
          log.push(`${name} ends`)
        }),
      ),
    )
    expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends'])
  })

  it('runs again, whole, when it could not be serialized', async () => {
    const pool = accounts.open()
    const meet = meeting(2)
    const swap = (from: number, to: number): Promise<unknown> =>
      transaction(
        pool,
        async (client) => {
          const { rows } = await client.query<{ amount: number }>(
            'select amount from accounts where id = $1',
            [from],
          )
          await meet()
          await client.query('update accounts set amount = $2 where id = $1', [
            to,
            (rows[0]?.amount ?? 0) + 1,
          ])
        },
        { isolation: 'serializable' },
      )
    await Promise.all([swap(1, 2), swap(2, 1)])
    expect(new Set(await accounts.balances())).toEqual(new Set([101, 102]))
    expect(pool.leasehold.stats().rerun).toBeGreaterThan(0)
  })

  it('runs again, whole, after a deadlock', async () => {
    const pool = accounts.open()
    const meet = meeting(2)
    const both = (first: number, second: number): Promise<unknown> =>
      transaction(pool, async (client) => {
        await add(client, first, 1)
        await meet()
        await add(client, second, 1)
      })
    await Promise.all([both(1, 2), both(2, 1)])
    expect(await accounts.balances()).toEqual([102, 102])
    expect(pool.leasehold.stats().rerun).toBe(1)
  })

  it('does not run again where `retries` is 0', async () => {
    const pool = accounts.open()
    const runs: number[] = []
    const error = await rejection(
      transaction(
        pool,
        async (client) => {
          runs.push(1)
          await client.query(`do $$ begin raise exception 'lost' using errcode = '40001'; end $$`)
        },
        { retries: 0 },
      ),
    )
    expect(error).toMatchObject({ code: '40001' })
    expect(runs).toHaveLength(1)
  })
})
