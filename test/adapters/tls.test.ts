// TLS on real servers: on by default towards RDS and verified, the application's own wish elsewhere.
import type { CredentialSource, LeaseholdOptions } from '@leasehold/core'
import { createPool as createMysqlPool } from '@leasehold/mysql-adapter'
import { createPool as createPgPool, LeaseholdError } from '@leasehold/pg-adapter'
import {
  type Authority,
  createAuthority,
  type DatabaseServer,
  startMariadb,
  startPostgres,
} from '@leasehold/test-databases'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'

import { eventually, rejection } from './eventually.ts'
import { leadEveryNameHere } from './rds-names.ts'

const RDS_NAME = 'shop.abc123.eu-west-1.rds.amazonaws.com'

interface Asked {
  cipher(): Promise<string>
  end(): Promise<unknown>
}

type Target = Pick<LeaseholdOptions, 'credentials' | 'resumeBudgetMs'> & {
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user?: string
  readonly password?: string
  readonly ssl?: object
}

const ENGINES = {
  PostgreSQL: {
    start: startPostgres,
    open: (target: Target): Asked => {
      const pool = createPgPool({ ...target, max: 1 })
      const statement = 'select coalesce(cipher, $1) as v from pg_stat_ssl where pid = pg_backend_pid()'
      return {
        cipher: async () => String((await pool.query<{ v: string }>(statement, [''])).rows[0]?.v),
        end: () => pool.end(),
      }
    },
  },
  MariaDB: {
    start: startMariadb,
    open: ({ ssl, ...target }: Target): Asked => {
      const tls = ssl === undefined ? {} : { ssl: { verifyIdentity: true, ...ssl } }
      const pool = createMysqlPool({ ...target, ...tls, connectionLimit: 1 }).promise()
      return {
        cipher: async () => {
          const [rows] = await pool.query("show status like 'Ssl_cipher'")
          return String((rows as { Value: string }[])[0]?.Value)
        },
        end: () => pool.end(),
      }
    },
  },
}

describe.each(Object.entries(ENGINES))('TLS on %s', (_name, { start, open }) => {
  let authority: Authority
  let plain: DatabaseServer
  const servers: Record<string, DatabaseServer> = {}
  const pools: Asked[] = []

  const connect = (server: DatabaseServer, host: string, ssl?: object): Asked => {
    const { port, database, login } = server
    const pool = open({ host, port, database, ...login, ...(ssl === undefined ? {} : { ssl }) })
    pools.push(pool)
    return pool
  }

  beforeAll(async () => {
    authority = await createAuthority()
    plain = await start()
    servers['right'] = await start({ tls: await authority.issue({ names: ['localhost', RDS_NAME] }) })
    servers['wrong name'] = await start({ tls: await authority.issue({ names: ['elsewhere.example'] }) })
    servers['expired'] = await start({ tls: await authority.issue({ names: ['localhost'], expired: true }) })
  })
  afterEach(async () => {
    vi.restoreAllMocks()
    for (const pool of pools.splice(0)) await pool.end()
    const ended = async (): Promise<boolean> => (await server('right').sessions()).length === 0
    await eventually('no session left', ended)
  })
  afterAll(async () => {
    for (const server of [plain, ...Object.values(servers)]) await server.dispose()
  })

  const server = (name: string): DatabaseServer => servers[name] ?? plain

  it('is used with the authority that the application names', async () => {
    expect(await connect(server('right'), 'localhost', { ca: authority.ca }).cipher()).not.toBe('')
  })

  it.each(['wrong name', 'expired'])('refuses a certificate that is %s', async (name) => {
    await rejection(connect(server(name), 'localhost', { ca: authority.ca }).cipher())
    expect(await server(name).sessions()).toEqual([])
  })

  it('refuses a certificate of an authority that nobody named', async () => {
    const other = await createAuthority()
    await rejection(connect(server('right'), 'localhost', { ca: other.ca }).cipher())
  })

  it('lets the next attempt be, when one was refused inside it', async () => {
    const { port, database, login } = server('right')
    const wrong = { ...login, password: 'of yesterday' }
    for (let round = 0; round < 5; round += 1) {
      const asked: number[] = []
      const credentials: CredentialSource = {
        isClearText: false,
        get: async ({ refusals }) => {
          asked.push(refusals)
          return refusals === 0 ? wrong : login
        },
      }
      const ssl = { ca: authority.ca }
      // No patience: what the first attempt leaves behind would be taken for a lost connection, and forgiven.
      const pool = open({ host: 'localhost', port, database, ssl, credentials, resumeBudgetMs: 0 })
      pools.push(pool)
      expect(await pool.cipher()).not.toBe('')
      expect(asked).toEqual([0, 1])
    }
  })

  it('is on by default towards RDS, where a certificate of another authority is refused', async () => {
    leadEveryNameHere()
    const error = await rejection(connect(server('right'), RDS_NAME).cipher())
    expect(error.message).toMatch(/certificate/i)
    expect(await server('right').sessions()).toEqual([])
  })

  it('does not go on without it towards RDS when the server offers none', async () => {
    leadEveryNameHere()
    const error = await rejection(connect(plain, RDS_NAME).cipher())
    expect(error.message).toMatch(/SSL|secure/i)
    expect(await plain.sessions()).toEqual([])
  })

  it('trusts towards RDS whom the application names instead', async () => {
    leadEveryNameHere()
    expect(await connect(server('right'), RDS_NAME, { ca: authority.ca }).cipher()).not.toBe('')
  })
})

describe('a connection string whose sslmode would defeat the authority', () => {
  const thrown = (parameter: string, ssl: boolean | object | null): unknown => {
    const connectionString = `postgres://app:hunter2@db.example/shop?${parameter}`
    try {
      createPgPool({ connectionString, ssl } as object)
      return undefined
    } catch (error) {
      return error
    }
  }

  it.each<[string, boolean | object, string]>([
    ['sslmode=require', { ca: 'a certificate' }, 'sslmode=require'],
    ['application_name=x&sslmode=verify-full', { ca: 'a certificate' }, 'sslmode=verify-full'],
    ['ssl=true', { ca: 'a certificate' }, 'ssl=true'],
    ['sslrootcert=/tmp/other.pem', { ca: 'a certificate' }, 'sslrootcert='],
    ['sslmode=no-verify', true, 'sslmode=no-verify'],
    ['sslmode=disable', true, 'sslmode=disable'],
  ])('is an error that says so, before anything is opened: %s', (parameter, ssl, named) => {
    const error = thrown(parameter, ssl)
    expect(LeaseholdError.is(error) && error.code).toBe('INVALID_OPTIONS')
    expect(String(error)).toContain(`\`${named}\` in \`connectionString\` takes its place`)
    expect(String(error)).not.toContain('hunter2')
  })

  it.each<[string, boolean | object | null]>([
    ['sslmode=require', true],
    ['sslmode=require', null],
    ['sslmode=no-verify', false],
    ['application_name=x', { ca: 'a certificate' }],
  ])('is none where nothing is lost: %s with %o', (parameter, ssl) => {
    expect(thrown(parameter, ssl)).toBeUndefined()
  })
})
