// Logging in with what a source of credentials gives, on real servers.
import type { CredentialRequest, CredentialSource, LeaseholdOptions } from '@leasehold/core'
import { createPool as createMysqlPool, govern as governMysql } from '@leasehold/mysql-adapter'
import { createPool as createPgPool, govern as governPg, LeaseholdError } from '@leasehold/pg-adapter'
import { type DatabaseServer, type Login, startMariadb, startPostgres } from '@leasehold/test-databases'
import mysql2 from 'mysql2'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { rejection } from './eventually.ts'

interface Asked {
  whoAmI(): Promise<string>
  end(): Promise<unknown>
}

type Target = LeaseholdOptions & {
  readonly host?: string
  readonly port?: number
  readonly database?: string
  readonly user?: string
  /** Without its scheme. */
  readonly uri?: string
}

async function pgUser(asked: Pick<pg.Pool, 'query'>): Promise<string> {
  return String((await asked.query<{ v: string }>('select current_user as v')).rows[0]?.v)
}

const ENGINES = {
  PostgreSQL: {
    start: startPostgres,
    open: ({ uri, ...target }: Target): Asked => {
      const place = uri === undefined ? {} : { connectionString: `postgres://${uri}` }
      const pool = createPgPool({ ...target, ...place, max: 2 })
      return { whoAmI: () => pgUser(pool), end: () => pool.end() }
    },
  },
  MariaDB: {
    start: startMariadb,
    open: ({ uri, ...target }: Target): Asked => {
      const place = uri === undefined ? {} : { uri: `mysql://${uri}` }
      const pool = createMysqlPool({ ...target, ...place, connectionLimit: 2 }).promise()
      return {
        whoAmI: async () => {
          const [rows] = await pool.query('select user() as v')
          return String((rows as { v: string }[])[0]?.v).split('@')[0] ?? ''
        },
        end: () => pool.end(),
      }
    },
  },
}

/** Gives these logins in turn, one a refusal. */
function sourceOf(
  ...logins: readonly (Login | undefined)[]
): CredentialSource & { requests: CredentialRequest[] } {
  const requests: CredentialRequest[] = []
  return {
    isClearText: false,
    requests,
    get: (request) => {
      requests.push(request)
      return Promise.resolve(logins[request.refusals])
    },
  }
}

describe.each(Object.entries(ENGINES))('a source of credentials on %s', (_name, { start, open }) => {
  let server: DatabaseServer
  const pools: Asked[] = []

  const openWith = (credentials: CredentialSource): Asked => {
    const { host, port, database, login } = server
    const pool = open({ host, port, database, user: login.user, credentials })
    pools.push(pool)
    return pool
  }

  beforeAll(async () => {
    server = await start()
  })
  afterAll(async () => {
    for (const pool of pools) await pool.end()
    await server.dispose()
  })

  it('is asked for the host and port that are connected to, and logs in', async () => {
    const { login, host, port } = server
    const source = sourceOf(login)
    expect(await openWith(source).whoAmI()).toBe(login.user)
    expect(source.requests.map(({ target }) => target)).toEqual([{ host, port, user: login.user }])
  })

  it('is asked for what a connection string says, whose own password is not used', async () => {
    const { login, host, port, database } = server
    const source = sourceOf(login)
    const uri = `${login.user}:of-yesterday@${host}:${port}/${database}`
    const pool = open({ uri, credentials: source })
    pools.push(pool)
    expect(await pool.whoAmI()).toBe(login.user)
    expect(source.requests.map(({ target }) => target)).toEqual([{ host, port, user: login.user }])
  })

  it('is asked again when the server refuses what it gave', async () => {
    const { login } = server
    const source = sourceOf({ ...login, password: 'of yesterday' }, login)
    expect(await openWith(source).whoAmI()).toBe(login.user)
    expect(source.requests.map(({ refusals }) => refusals)).toEqual([0, 1])
  })

  it('may name another user than the options, as alternating secrets do', async () => {
    const other = await server.createLogin()
    expect(await openWith(sourceOf(other)).whoAmI()).toBe(other.user)
  })

  it('leaves the last word to the server when it has nothing else to try', async () => {
    const error = await rejection(openWith(sourceOf({ ...server.login, password: 'wrong' })).whoAmI())
    expect(['28P01', 'ER_ACCESS_DENIED_ERROR']).toContain((error as { code?: string }).code)
  })

  it('sends nothing that goes in the clear over a plain socket', async () => {
    const pool = openWith({ ...sourceOf(server.login), isClearText: true })
    const error = await rejection(pool.whoAmI())
    expect(LeaseholdError.is(error) && error.code).toBe('TLS_REQUIRED')
  })
})

describe('a governed client of pg outside a pool', () => {
  let server: DatabaseServer
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.dispose())

  it('asks the source, and again when the server refuses what it gave', async () => {
    const { host, port, database, login } = server
    const source = sourceOf({ ...login, password: 'of yesterday' }, login)
    const { Client } = governPg(pg)
    const client = new Client({ host, port, database, user: login.user, credentials: source })
    await client.connect()
    expect(await pgUser(client)).toBe(login.user)
    expect(source.requests.map(({ refusals }) => refusals)).toEqual([0, 1])
    await client.end()
  })
})

describe('a governed connection of mysql2 outside a pool', () => {
  it('says that it can ask no source, rather than log in without', () => {
    const { createConnection } = governMysql(mysql2)
    const login = (): unknown => createConnection({ host: 'localhost', credentials: sourceOf() })
    expect(login).toThrow('`credentials` needs a pool')
  })
})
