// The oldest drivers that the adapters say they govern, on real servers.
import { createRequire } from 'node:module'

import { govern as governMysql, type MysqlModule } from '@leasehold/mysql-adapter'
import { govern as governPg, type PgModule } from '@leasehold/pg-adapter'
import { type DatabaseServer, startMariadb, startPostgres } from '@leasehold/test-databases'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { eventually, rejection } from './eventually.ts'

// Required, not imported: the old `pg` under its other name has no types.
const require = createRequire(import.meta.url)
const oldPg = require('pg-8.16') as PgModule
const oldMysql2 = require('mysql2-3.12') as MysqlModule

interface Asked {
  sessionId(): Promise<number>
  stats(): {
    readonly opened: number
    readonly lapsed: number
    readonly lost: number
    readonly censuses: number
  }
  end(): Promise<unknown>
}

const DRIVERS = {
  'pg 8.16': {
    start: startPostgres,
    open: (target: object): Asked => {
      const pool = new (governPg(oldPg).Pool)({ ...target, max: 1 })
      const statement = 'select pg_backend_pid() as v'
      return {
        sessionId: async () => Number((await pool.query<{ v: number }>(statement)).rows[0]?.v),
        stats: () => pool.leasehold.stats(),
        end: () => pool.end(),
      }
    },
  },
  'mysql2 3.12': {
    start: startMariadb,
    open: (target: object): Asked => {
      const pool = governMysql(oldMysql2).createPool({
        ...target,
        connectionLimit: 1,
      })
      const promised = pool.promise()
      return {
        sessionId: async () => {
          const [rows] = await promised.query('select connection_id() as v')
          return Number((rows as { v: number }[])[0]?.v)
        },
        stats: () => pool.leasehold.stats(),
        end: () => promised.end(),
      }
    },
  },
}

describe.each(Object.entries(DRIVERS))('%s, governed', (_name, { start, open }) => {
  let server: DatabaseServer
  const pools: Asked[] = []
  const openPool = (options: object = {}): Asked => {
    const { host, port, database, login } = server
    const logger = { warn: () => {}, error: () => {} }
    const pool = open({ host, port, database, ...login, logger, ...options })
    pools.push(pool)
    return pool
  }

  beforeAll(async () => {
    server = await start({ maxConnections: 12 })
  })
  afterAll(async () => {
    for (const pool of pools) await pool.end()
    await server.dispose()
  })

  it('reuses a session, counts, and replaces one that lapsed', async () => {
    const pool = openPool({ minLeaseMs: 1_000, maxLeaseMs: 1_000 })
    const first = await pool.sessionId()
    expect(await pool.sessionId()).toBe(first)
    await eventually('a census', () => pool.stats().censuses > 0)
    await eventually('the lease ends', async () => (await server.sessions()).every(({ id }) => id !== first))
    expect(await pool.sessionId()).not.toBe(first)
    expect(pool.stats().opened).toBe(2)
  })

  it('replaces a session that the server ended', async () => {
    const pool = openPool({ pingAfterIdleMs: 0 })
    const first = await pool.sessionId()
    await server.terminate(first)
    expect(await pool.sessionId()).not.toBe(first)
  })

  it('waits for a slot, and connects when one is free', async () => {
    const holders: Asked[] = []
    for (;;) {
      // Governed ones that do nothing would leave some slots free.
      const holder = openPool({ acquireTimeoutMs: 300, lease: 'off' })
      const refused = await holder.sessionId().then(
        () => false,
        () => true,
      )
      if (refused) break
      holders.push(holder)
    }
    const waiting = openPool().sessionId()
    await holders[0]?.end()
    pools.splice(pools.indexOf(holders[0] as Asked), 1)
    expect(await waiting).toBeGreaterThan(0)
  })

  it('surfaces a wrong password as the driver says it', async () => {
    const error = await rejection(openPool({ password: 'wrong' }).sessionId())
    expect(['28P01', 'ER_ACCESS_DENIED_ERROR']).toContain((error as { code?: string }).code)
  })
})
