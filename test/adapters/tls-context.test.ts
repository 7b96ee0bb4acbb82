// TLS that nobody asked for: what goes to RDS is verified, and shares one context in the process.
import { createRequire, syncBuiltinESMExports } from 'node:module'
import tls from 'node:tls'

import { govern as governMysql, type MysqlModule } from '@leasehold/mysql-adapter'
import { govern as governPg, type PgModule } from '@leasehold/pg-adapter'
import { createAuthority, type DatabaseServer, startMariadb, startPostgres } from '@leasehold/test-databases'
import mysql2 from 'mysql2'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'

import { rejection } from './eventually.ts'
import { leadEveryNameHere, trustTowardsRds } from './rds-names.ts'

const RDS_NAME = 'shop.abc123.eu-west-1.rds.amazonaws.com'

// Required, not imported: the old `pg` under its other name has no types.
const require = createRequire(import.meta.url)

interface Target {
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user: string
  readonly password: string
  readonly ssl?: false
}

interface Asked {
  /** Of as many connections as this, all open at once. */
  ciphers(connections: number): Promise<readonly string[]>
  end(): Promise<unknown>
}

interface Driver {
  readonly start: typeof startPostgres
  readonly pool: (target: Target) => Asked
  /** One connection outside a pool. */
  readonly single: (target: Target) => Asked
}

function onPg(module: PgModule): Driver {
  const governed = governPg(module)
  const statement = `select coalesce(cipher, '') as v from pg_stat_ssl where pid = pg_backend_pid()`
  const cipher = async (client: pg.ClientBase): Promise<string> =>
    String((await client.query<{ v: string }>(statement)).rows[0]?.v)
  return {
    start: startPostgres,
    pool: (target) => {
      const pool = new governed.Pool({ ...target, max: 5 })
      return {
        ciphers: async (count) => {
          const clients = await Promise.all(Array.from({ length: count }, () => pool.connect()))
          const found = await Promise.all(clients.map(cipher))
          for (const client of clients) client.release()
          return found
        },
        end: () => pool.end(),
      }
    },
    single: (target) => {
      const client = new governed.Client({ ...target })
      return {
        ciphers: async () => {
          await client.connect()
          return [await cipher(client)]
        },
        end: () => client.end(),
      }
    },
  }
}

interface Queried {
  query(sql: string): Promise<unknown>
}

function onMysql2(module: MysqlModule): Driver {
  const governed = governMysql(module)
  const cipher = async (connection: Queried): Promise<string> => {
    const [rows] = (await connection.query("show status like 'Ssl_cipher'")) as [{ Value: string }[]]
    return String(rows[0]?.Value)
  }
  return {
    start: startMariadb,
    pool: (target) => {
      const pool = governed.createPool({ ...target, connectionLimit: 5 } as object).promise()
      return {
        ciphers: async (count) => {
          const opened = await Promise.all(Array.from({ length: count }, () => pool.getConnection()))
          const found = await Promise.all(opened.map(cipher))
          for (const connection of opened) connection.release()
          return found
        },
        end: () => pool.end(),
      }
    },
    single: (target) => {
      const connection = governed.createConnection({ ...target } as object)
      return {
        ciphers: async () => [await cipher(connection.promise())],
        end: () =>
          connection
            .promise()
            .end()
            .catch(() => connection.destroy()),
      }
    },
  }
}

const DRIVERS: Readonly<Record<string, Driver>> = {
  'pg 8.23': onPg(pg),
  'pg 8.16': onPg(require('pg-8.16') as PgModule),
  'mysql2 3.24': onMysql2(mysql2),
  'mysql2 3.12': onMysql2(require('mysql2-3.12') as MysqlModule),
}

describe.each(Object.entries(DRIVERS))('%s, governed, towards RDS', (_name, { start, pool, single }) => {
  let server: DatabaseServer
  let wrongName: DatabaseServer
  let plain: DatabaseServer
  let trusted: string
  const opened: Asked[] = []

  const target = ({ port, database, login }: DatabaseServer): Target => ({
    host: RDS_NAME,
    port,
    database,
    ...login,
  })
  const kept = (asked: Asked): Asked => {
    opened.push(asked)
    return asked
  }

  beforeAll(async () => {
    const authority = await createAuthority()
    trusted = authority.ca
    server = await start({ tls: await authority.issue({ names: [RDS_NAME] }) })
    wrongName = await start({ tls: await authority.issue({ names: ['elsewhere.example'] }) })
    plain = await start()
  })
  beforeEach(() => {
    trustTowardsRds(trusted)
    leadEveryNameHere()
  })
  afterEach(async () => {
    for (const asked of opened.splice(0)) await asked.end()
    vi.restoreAllMocks()
    syncBuiltinESMExports()
  })
  afterAll(async () => {
    trustTowardsRds()
    for (const one of [server, wrongName, plain]) await one.dispose()
  })

  it('makes one context for all pools and connections', async () => {
    const made = vi.spyOn(tls, 'createSecureContext')
    syncBuiltinESMExports()
    const ciphers = [
      ...(await kept(pool(target(server))).ciphers(3)),
      ...(await kept(pool(target(server))).ciphers(3)),
      ...(await kept(single(target(server))).ciphers(1)),
      ...(await kept(single(target(server))).ciphers(1)),
    ]
    expect(ciphers).toHaveLength(8)
    expect(ciphers).not.toContain('')
    expect(made).toHaveBeenCalledTimes(1)
  })

  it.each([
    ['a pool', pool],
    ['a connection outside a pool', single],
  ])('refuses, by %s, a certificate of an authority of nobody’s', async (_by, open) => {
    trustTowardsRds((await createAuthority()).ca)
    const error = await rejection(kept(open(target(server))).ciphers(1))
    expect(error.message).toMatch(/certificate/i)
    expect(await server.sessions()).toEqual([])
  })

  it.each([
    ['a pool', pool],
    ['a connection outside a pool', single],
  ])('refuses, by %s, a certificate for another name', async (_by, open) => {
    const error = await rejection(kept(open(target(wrongName))).ciphers(1))
    expect(error.message).toMatch(/altnames/)
    expect(await wrongName.sessions()).toEqual([])
  })

  it.each([
    ['a pool', pool],
    ['a connection outside a pool', single],
  ])('does not go on, by %s, without it when the server offers none', async (_by, open) => {
    const error = await rejection(kept(open(target(plain))).ciphers(1))
    expect(error.message).toMatch(/SSL|secure/i)
    expect(await plain.sessions()).toEqual([])
  })
  it.each([
    ['a pool', pool],
    ['a connection outside a pool', single],
  ])('leaves it out, by %s, where the application says so', async (_by, open) => {
    expect(await kept(open({ ...target(plain), ssl: false })).ciphers(1)).toEqual([''])
  })
})
