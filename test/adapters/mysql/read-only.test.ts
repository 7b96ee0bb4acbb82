// After a failover the old writer is read-only: its connections leave the pool, whoever met the error, and how.
import { createPool, type GovernedPool } from '@leasehold/mysql-adapter'
import type mysql2 from 'mysql2'
import type { PoolConnection } from 'mysql2/promise'
import { afterEach, describe, expect, it } from 'vitest'

import { eventually, rejection } from '../eventually.ts'
import { endAll, onEveryServer } from './server.ts'

const WRITE = 'create table no_such_place (id int)'

/** Meets the error on a connection of the pool and gives the connection back. */
type Style = (pool: GovernedPool, sql: string) => Promise<unknown>

async function onConnection(
  pool: GovernedPool,
  work: (connection: PoolConnection) => Promise<unknown>,
): Promise<unknown> {
  const connection = await pool.promise().getConnection()
  try {
    return await rejection(work(connection))
  } finally {
    connection.release()
  }
}

const STYLES: Readonly<Record<string, Style>> = {
  'pool.query with a callback': (pool, sql) =>
    new Promise((resolve) => {
      pool.query(sql, (error) => resolve(error))
    }),
  'pool.execute with a callback': (pool, sql) =>
    new Promise((resolve) => {
      pool.execute(sql, (error) => resolve(error))
    }),
  "the promise pool's query": (pool, sql) => rejection(pool.promise().query(sql)),
  "the promise pool's execute": (pool, sql) => rejection(pool.promise().execute(sql)),
  'query on a connection': (pool, sql) => onConnection(pool, (connection) => connection.query(sql)),
  'execute on a connection': (pool, sql) => onConnection(pool, (connection) => connection.execute(sql)),
  'a stream on a connection': (pool, sql) =>
    onConnection(pool, ({ connection }) =>
      (connection as unknown as mysql2.Connection).query(sql).stream().toArray(),
    ),
  'a stream on the pool': (pool, sql) => rejection(pool.query(sql).stream().toArray()),
}

await onEveryServer((under) => {
  const pools: mysql2.Pool[] = []
  const open = (): GovernedPool => {
    const pool = createPool({ ...under.target, connectionLimit: 1 })
    pools.push(pool)
    return pool
  }
  const idOf = async (pool: GovernedPool): Promise<unknown> =>
    (await pool.promise().query('select connection_id() as id'))[0]

  afterEach(async () => {
    endAll(pools)
    await under.server.admin('set global read_only = off')
  })

  describe.each(Object.entries(STYLES))('a read-only server met by %s', (_name, style) => {
    it('costs the connection, and the next request gets another', async () => {
      const pool = open()
      const before = await idOf(pool)
      await under.server.admin('set global read_only = on')
      expect(await style(pool, WRITE)).toMatchObject({ errno: 1290 })
      await under.server.admin('set global read_only = off')
      expect(await idOf(pool)).not.toEqual(before)
      expect(pool.leasehold.stats()).toMatchObject({ evicted: 1, opened: 2 })
    })
  })

  describe('on a connection taken from the pool', () => {
    it('a write in a read-only transaction costs it', async () => {
      const pool = open()
      const before = await idOf(pool)
      await under.server.admin('create table if not exists notes (id int primary key)')
      const error = await onConnection(pool, async (connection) => {
        await connection.query('start transaction read only')
        await connection.query('insert into notes values (1)')
      })
      expect(error).toMatchObject({ errno: 1792 })
      expect(await idOf(pool)).not.toEqual(before)
    })

    it('error 1290 because of another option does not cost it', async () => {
      await under.server.admin(`grant file on *.* to ${under.target.user}`)
      const pool = open()
      const before = await idOf(pool)
      const error = await onConnection(pool, (connection) =>
        connection.query(`select 1 into outfile '/nowhere'`),
      )
      expect(error).toMatchObject({ errno: 1290 })
      expect(await idOf(pool)).toEqual(before)
      expect(pool.leasehold.stats().evicted).toBe(0)
    })

    it('an ordinary error does not cost it', async () => {
      const pool = open()
      const before = await idOf(pool)
      await onConnection(pool, (connection) => connection.query('selec 1'))
      expect(await idOf(pool)).toEqual(before)
    })

    it('rows that begin as an error packet does are rows', async () => {
      const pool = open()
      const before = await idOf(pool)
      // 0x0a05 is 1290 where an error packet has its number.
      const [rows] = await pool.promise().query(`select x'ff0a05' as v, repeat('read-only ', 30) as text`)
      expect(rows).toMatchObject([{ v: Buffer.from([0xff, 0x0a, 0x05]) }])
      expect(await idOf(pool)).toEqual(before)
    })

    it('it leaves the pool only when it is given back', async () => {
      const pool = open()
      const connection = await pool.promise().getConnection()
      await under.server.admin('set global read_only = on')
      await rejection(connection.query(WRITE))
      expect((await connection.query('select 1 as v'))[0]).toEqual([{ v: 1 }])
      connection.release()
      await eventually('it is closed', async () => (await under.server.sessions()).length === 0)
    })
  })
})
