// Transactions on clients: the application's own, and those that cannot be had.
import { transaction } from '@leasehold/pg-adapter'
import pg from 'pg'
import { describe, expect, it } from 'vitest'

import { rejection } from '../eventually.ts'
import { accountsUnderTest, add, idOf } from './accounts.ts'
import { DRIVERS } from './drivers.ts'

describe.each(DRIVERS)('a transaction on a client, with %s', (_name, driver) => {
  const accounts = accountsUnderTest(driver)
  const { Client } = driver

  it('does not let its function give the connection back', async () => {
    const pool = accounts.open()
    const error = await rejection(transaction(pool, async (client) => client.release()))
    expect(error.message).toContain('do not release it inside')
    expect(pool).toMatchObject({ totalCount: 1, idleCount: 1 })
    const client = await pool.connect()
    client.release()
  })

  describe("on a client of the application's own", () => {
    it('runs there, and leaves the client with the application', async () => {
      const pool = accounts.open()
      const client = await pool.connect()
      const id = await idOf(client)
      expect(await transaction(client, async (same) => (await add(same, 1, 1), idOf(same)))).toBe(id)
      expect(await idOf(client)).toBe(id)
      client.release()
      expect(await accounts.balances()).toEqual([101, 100])
      expect(pool).toMatchObject({ totalCount: 1, idleCount: 1 })
    })

    it('runs on one outside a pool too', async () => {
      const client = new Client({ ...accounts.under.target })
      await client.connect()
      await transaction(client, (same) => add(same, 1, 1))
      await client.end()
      expect(await accounts.balances()).toEqual([101, 100])
    })

    it('cuts a client that cannot roll back, and the pool takes it back without harm', async () => {
      const pool = accounts.open({ max: 1 })
      const client = await pool.connect()
      await rejection(
        transaction(client, async (same) => {
          await accounts.under.server.terminate(await idOf(same))
          throw new Error('no')
        }),
      )
      await rejection(client.query('select 1'))
      client.release()
      expect((await pool.query('select 7 as n')).rows).toEqual([{ n: 7 }])
    })

    it('is refused beside another one that begins on the same client', async () => {
      const client = await accounts.open().connect()
      const first = transaction(client, (same) => add(same, 1, 1))
      expect(await rejection(transaction(client, (same) => add(same, 1, 1)))).toMatchObject({
        code: 'INVALID_OPTIONS',
      })
      await first
      client.release()
      expect(await accounts.balances()).toEqual([101, 100])
    })

    it('is refused inside a transaction that was begun by hand', async () => {
      const client = await accounts.open().connect()
      await client.query('begin')
      const error = await rejection(transaction(client, (same) => add(same, 1, 1)))
      expect(error).toMatchObject({ code: 'INVALID_OPTIONS', message: expect.stringContaining('by hand') })
      await client.query('rollback')
      client.release()
    })
  })

  it.each([
    ['a pool of the bare driver', () => new pg.Pool()],
    ['a client of the bare driver', () => new pg.Client()],
    ['nothing', () => undefined],
  ])('is refused on %s', async (_what, make) => {
    const error = await rejection(transaction(make() as pg.Pool, async () => 1))
    expect(error).toMatchObject({
      code: 'INVALID_OPTIONS',
      message: expect.stringContaining('`poolOrClient`'),
    })
  })

  it('is refused on a client that is not connected', async () => {
    const error = await rejection(transaction(new Client({ ...accounts.under.target }), async () => 1))
    expect(error).toMatchObject({ code: 'INVALID_OPTIONS', message: expect.stringContaining('connect') })
  })

  it('is refused without a function', async () => {
    const error = await rejection(transaction(accounts.open(), undefined as never))
    expect(error).toMatchObject({ code: 'INVALID_OPTIONS', message: expect.stringContaining('`work`') })
  })
})
