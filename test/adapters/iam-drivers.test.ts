// Tokens through the oldest and the newest drivers: logging in, recovering, and never in the clear.
import { createRequire } from 'node:module'

import type { CredentialSource } from '@leasehold/core'
import { iamToken } from '@leasehold/core/aws'
import { govern as governMysql, type MysqlModule } from '@leasehold/mysql-adapter'
import { govern as governPg, type PgModule } from '@leasehold/pg-adapter'
import { createAuthority, type DatabaseServer, iamAvailability } from '@leasehold/test-databases'
import mysql2 from 'mysql2'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

import { type CuriousServer, startCuriousServer } from './curious-server.ts'
import { rejection } from './eventually.ts'

// Required, not imported: the old `pg` under its other name has no types.
const require = createRequire(import.meta.url)
const oldPg = require('pg-8.16') as typeof pg
const oldMysql2 = require('mysql2-3.12') as typeof mysql2

const REGION = 'eu-west-1'
const USER = 'iam_one'
/** Made up; the servers know them, nobody else does. The session token is short, because PAM cuts long ones. */
const SIGNER = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'of no use to anybody', sessionToken: 'short' }
const REVOKED = { ...SIGNER, accessKeyId: 'AKIDREVOKED' }

interface Target {
  readonly host: string
  readonly port: number
  readonly database: string
  readonly ssl?: { readonly ca: string; readonly verifyIdentity?: boolean }
}

interface Asked {
  whoAmI(): Promise<string>
  end(): Promise<unknown>
}

interface Driver {
  readonly engine: 'postgresql' | 'mysql'
  readonly open: (target: Target, credentials: CredentialSource) => Asked
  /** The driver without governance, as it is set up by hand for a password in the clear. */
  readonly logInBare: (target: Target, password: string) => Promise<unknown>
}

function onPg(driver: typeof pg): Driver {
  return {
    engine: 'postgresql',
    open: (target, credentials) => {
      const { Pool } = governPg(driver as PgModule)
      const pool = new Pool({ ...target, user: USER, credentials, max: 1, pingAfterIdleMs: 0 })
      return {
        whoAmI: async () => String((await pool.query<{ v: string }>('select current_user as v')).rows[0]?.v),
        end: () => pool.end(),
      }
    },
    logInBare: (target, password) => {
      const client = new driver.Client({ ...target, user: USER, password })
      client.on('error', () => {})
      return client.connect()
    },
  }
}

function onMysql2(driver: typeof mysql2): Driver {
  return {
    engine: 'mysql',
    open: ({ ssl, ...target }, credentials) => {
      const tls = ssl === undefined ? {} : { ssl: { ...ssl, verifyIdentity: true } }
      const pool = governMysql(driver as MysqlModule)
        .createPool({ ...target, ...tls, user: USER, credentials, connectionLimit: 1, pingAfterIdleMs: 0 })
        .promise()
      return {
        whoAmI: async () => {
          const [rows] = await pool.query('select user() as v')
          return String((rows as { v: string }[])[0]?.v).split('@')[0] ?? ''
        },
        end: () => pool.end(),
      }
    },
    logInBare: (target, password) =>
      new Promise((resolve, reject) => {
        const clear = { mysql_clear_password: () => () => Buffer.from(`${password}\0`) }
        const connection = driver.createConnection({ ...target, user: USER, authPlugins: clear })
        connection.on('connect', resolve)
        connection.on('error', reject)
      }),
  }
}

const DRIVERS: Readonly<Record<string, Driver>> = {
  'pg 8.16': onPg(oldPg),
  'the newest pg': onPg(pg),
  'mysql2 3.12': onMysql2(oldMysql2),
  'the newest mysql2': onMysql2(mysql2),
}

const pools: Asked[] = []
const opened = (pool: Asked): Asked => {
  pools.push(pool)
  return pool
}

afterEach(async () => {
  for (const pool of pools.splice(0)) await pool.end()
})

const servers = iamAvailability()
const engineOf = (driver: Driver): string => (driver.engine === 'mysql' ? 'mariadb' : driver.engine)

describe.each(servers.filter(({ available }) => available))('on $name', ({ engine, start }) => {
  const drivers = Object.entries(DRIVERS).filter(([, driver]) => engineOf(driver) === engine)
  let server: DatabaseServer
  const reasonsSince = (count: number): readonly string[] =>
    server.iam
      ?.verdicts()
      .slice(count)
      .map(({ reason }) => reason) ?? []

  beforeAll(async () => {
    const tls = await (await createAuthority()).issue()
    const iam = { users: [USER], host: 'localhost', region: REGION, credentials: [SIGNER, REVOKED] }
    server = await start({ tls, iam })
  })
  afterAll(async () => {
    await server.dispose()
  })

  describe.each(drivers)('with %s', (_name, { open }) => {
    const openWith = (options: object): Asked => {
      const { port, database, tls } = server
      const credentials = iamToken({ hostname: 'localhost', region: REGION, ...options })
      const target = { host: 'localhost', port, database, ssl: { ca: tls?.ca ?? '' } }
      return opened(open(target, credentials))
    }

    it('a token logs in', async () => {
      const seen = reasonsSince(0).length
      expect(await openWith({ credentials: SIGNER }).whoAmI()).toBe(USER)
      expect(reasonsSince(seen)).toEqual(['ok'])
    })

    it('a token whose signer was revoked is replaced within the same request', async () => {
      const signers = [REVOKED]
      const pool = openWith({ credentials: () => Promise.resolve(signers.shift() ?? SIGNER) })
      await pool.whoAmI()
      server.iam?.setCredentials([SIGNER])
      try {
        for (const { id } of await server.sessions(USER)) await server.terminate(id)
        const seen = reasonsSince(0).length
        expect(await pool.whoAmI()).toBe(USER)
        expect(reasonsSince(seen)).toEqual(['access key', 'ok'])
      } finally {
        server.iam?.setCredentials([SIGNER, REVOKED])
      }
    })

    it('the refusal of every token surfaces as the driver says it', async () => {
      const error = await rejection(openWith({ credentials: SIGNER, region: 'us-east-1' }).whoAmI())
      expect(['28000', 'ER_ACCESS_DENIED_ERROR']).toContain(error.code)
    })
  })
})

const missing = servers.filter(({ available }) => !available)

describe.skipIf(missing.length > 0).each(missing)('$name cannot verify tokens here: $remedy', () => {
  it('takes tokens', () => {})
})

describe.each(Object.entries(DRIVERS))('of a token, with %s', (_name, { engine, open, logInBare }) => {
  let server: CuriousServer
  const targetOf = (): Target => ({ host: 'localhost', port: server.port, database: 'shop' })
  const openOn = (target: Target): Asked =>
    opened(open(target, iamToken({ hostname: 'localhost', region: REGION, credentials: SIGNER })))
  /** In every token, and in nothing else that a client sends. */
  const trace = SIGNER.accessKeyId

  beforeAll(async () => {
    server = await startCuriousServer(engine)
  })
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
  })

  it('nothing is sent to a server without TLS: no connection is made', async () => {
    const error = await rejection(openOn(targetOf()).whoAmI())
    expect(error.code).toBe('TLS_REQUIRED')
    expect(server.connectionCount).toBe(0)
  })

  it('nothing is sent to a server that offers no TLS where TLS is asked for', async () => {
    const { ca } = await createAuthority()
    const error = await rejection(openOn({ ...targetOf(), ssl: { ca } }).whoAmI())
    expect(error.message).toMatch(/SSL|secure/)
    expect(server.connectionCount).toBe(1)
    expect(server.received().includes(trace)).toBe(false)
  })

  it('the same server gets all of it from the driver without governance', async () => {
    await rejection(logInBare(targetOf(), `token of ${trace}`))
    expect(server.received().includes(`token of ${trace}`)).toBe(true)
  })
})
