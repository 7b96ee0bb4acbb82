// IAM tokens against servers that verify them, as RDS and Aurora DSQL do: signature, host, user, region and age.

import type { CredentialSource } from '@leasehold/core'
import { iamToken } from '@leasehold/core/aws'
import { createPool as createMysqlPool } from '@leasehold/mysql-adapter'
import { createPool as createPgPool } from '@leasehold/pg-adapter'
import { createAuthority, type DatabaseServer, iamAvailability } from '@leasehold/test-databases'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'

import { eventually, rejection } from './eventually.ts'
import { leadEveryNameHere, trustTowardsRds } from './rds-names.ts'

const REGION = 'eu-west-1'
/** Made up; the servers know them, nobody else does. The session token is short, because PAM cuts long ones. */
const SIGNER = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'of no use to anybody', sessionToken: 'short' }

interface Asked {
  whoAmI(): Promise<string>
  end(): Promise<unknown>
}

async function whoAmI(pool: ReturnType<typeof createPgPool>): Promise<string> {
  return String((await pool.query<{ v: string }>('select current_user as v')).rows[0]?.v)
}

function open(server: DatabaseServer, user: string, credentials: CredentialSource): Asked {
  const target = { host: 'localhost', port: server.port, database: server.database, user, credentials }
  const ca = server.tls?.ca ?? ''
  if (server.engine === 'postgresql') {
    const pool = createPgPool({ ...target, ssl: { ca }, max: 2 })
    return { whoAmI: () => whoAmI(pool), end: () => pool.end() }
  }
  const pool = createMysqlPool({ ...target, ssl: { ca, verifyIdentity: true }, connectionLimit: 2 }).promise()
  return {
    whoAmI: async () => {
      const [rows] = await pool.query('select user() as v')
      return String((rows as { v: string }[])[0]?.v).split('@')[0] ?? ''
    },
    end: () => pool.end(),
  }
}

const servers = iamAvailability()

describe.each(servers.filter(({ available }) => available))('iamToken on $name', ({ start }) => {
  let server: DatabaseServer
  const pools: Asked[] = []
  const openWith = (user: string, options: object = {}): Asked => {
    // The server is told to expect `localhost`, which is no name of AWS's: so it is named here.
    const credentials = iamToken({ hostname: 'localhost', region: REGION, credentials: SIGNER, ...options })
    const pool = open(server, user, credentials)
    pools.push(pool)
    return pool
  }
  const verdicts = (): readonly string[] => server.iam?.verdicts().map(({ reason }) => reason) ?? []

  beforeAll(async () => {
    const authority = await createAuthority()
    const tls = await authority.issue()
    server = await start({
      tls,
      iam: { users: ['iam_one', 'iam_two'], host: 'localhost', region: REGION, credentials: [SIGNER] },
    })
  })
  afterAll(async () => {
    for (const pool of pools) await pool.end()
    await server.dispose()
  })

  it('logs in, and the server finds the signature right', async () => {
    expect(await openWith('iam_one').whoAmI()).toBe('iam_one')
    expect(verdicts().at(-1)).toBe('ok')
  })

  it('gives two pools for two users a token each', async () => {
    const credentials = iamToken({ hostname: 'localhost', region: REGION, credentials: SIGNER })
    const [one, two] = [open(server, 'iam_one', credentials), open(server, 'iam_two', credentials)]
    pools.push(one, two)
    expect(await Promise.all([one.whoAmI(), two.whoAmI()])).toEqual(['iam_one', 'iam_two'])
  })

  it('signs again when the server finds its token too old, and logs in with the new one', async () => {
    const pool = openWith('iam_one')
    await pool.whoAmI()
    server.iam?.setMaxAgeMs(2_000)
    try {
      for (const { id } of await server.sessions('iam_one')) await server.terminate(id)
      const seen = verdicts().length
      const signedAtEpochMs = server.iam?.verdicts().at(-1)?.signedAtEpochMs ?? 0
      await eventually('the token is too old', () => Date.now() - signedAtEpochMs > 4_000)
      expect(await pool.whoAmI()).toBe('iam_one')
      expect(verdicts().slice(seen)).toEqual(['age', 'ok'])
    } finally {
      server.iam?.setMaxAgeMs(900_000)
    }
  })

  it('renews a token before the credentials that signed it expire', async () => {
    // Renewed 60 s before the end of what signed it: so of this signer's, after two seconds.
    const expiresAtEpochMs = Date.now() + 62_000
    const brief = { ...SIGNER, accessKeyId: 'AKIDBRIEF', expiration: new Date(expiresAtEpochMs) }
    const signers = [brief, SIGNER]
    server.iam?.setCredentials([{ ...brief, expiresAtEpochMs }, SIGNER])
    try {
      const pool = openWith('iam_one', { credentials: () => Promise.resolve(signers.shift() ?? SIGNER) })
      await pool.whoAmI()
      expect(signers).toHaveLength(1)
      await eventually('the time to renew', () => Date.now() > expiresAtEpochMs - 59_500)
      server.iam?.setCredentials([SIGNER])
      for (const { id } of await server.sessions('iam_one')) await server.terminate(id)
      const seen = verdicts().length
      expect(await pool.whoAmI()).toBe('iam_one')
      expect(verdicts().slice(seen)).toEqual(['ok'])
      expect(signers).toHaveLength(0)
    } finally {
      server.iam?.setCredentials([SIGNER])
    }
  })

  it('surfaces the server’s refusal when a new token does not help', async () => {
    const error = await rejection(openWith('iam_one', { region: 'us-east-1' }).whoAmI())
    expect(['28000', 'ER_ACCESS_DENIED_ERROR']).toContain((error as { code?: string }).code)
    expect(verdicts().at(-1)).toBe('region')
  })
})

const DSQL_NAME = 'abc123.dsql.eu-west-1.on.aws'

describe.each(servers.filter(({ available, engine }) => available && engine === 'postgresql'))(
  'iamToken for Aurora DSQL on $name',
  ({ start }) => {
    let server: DatabaseServer
    const pools: Asked[] = []
    const openAs = (user: string, options: object = {}): Asked => {
      const credentials = iamToken({ service: 'dsql', credentials: SIGNER, ...options })
      const { port, database } = server
      const own = createPgPool({ host: DSQL_NAME, port, database, user, credentials, max: 1 })
      const pool: Asked = { whoAmI: () => whoAmI(own), end: () => own.end() }
      pools.push(pool)
      return pool
    }

    beforeAll(async () => {
      const authority = await createAuthority()
      server = await start({
        tls: await authority.issue({ names: [DSQL_NAME] }),
        iam: {
          service: 'dsql',
          users: ['admin', 'iam_one'],
          host: DSQL_NAME,
          region: REGION,
          credentials: [SIGNER],
        },
      })
      leadEveryNameHere()
      // Nothing is said about TLS: the name alone asks for it.
      trustTowardsRds(authority.ca)
    })
    afterAll(async () => {
      vi.restoreAllMocks()
      trustTowardsRds()
      for (const pool of pools) await pool.end()
      await server.dispose()
    })

    it.each(['admin', 'iam_one'])('logs %s in by the action that is meant for it', async (user) => {
      expect(await openAs(user).whoAmI()).toBe(user)
      expect(server.iam?.verdicts().at(-1)).toMatchObject({ user, reason: 'ok' })
    })

    it('surfaces the server’s refusal of a token with another action', async () => {
      const error = await rejection(openAs('iam_one', { admin: true }).whoAmI())
      expect(error.code).toBe('28000')
      expect(server.iam?.verdicts().at(-1)).toMatchObject({ user: 'iam_one', reason: 'service' })
    })

    it('surfaces the server’s refusal of a token for RDS', async () => {
      const error = await rejection(
        openAs('iam_one', { service: 'rds', hostname: DSQL_NAME, region: REGION }).whoAmI(),
      )
      expect(error.code).toBe('28000')
      expect(server.iam?.verdicts().at(-1)?.reason).toBe('service')
    })
  },
)

const missing = servers.filter(({ available }) => !available)

describe.skipIf(missing.length > 0).each(missing)('$name cannot verify tokens here: $remedy', () => {
  it('takes tokens', () => {})
})
