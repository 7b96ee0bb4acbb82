// Statements of sessions that logged in by token are stopped over a connection that has to log in, too.
import { iamToken } from '@leasehold/core/aws'
import { createAuthority, type DatabaseServer, iamAvailability } from '@leasehold/test-databases'
import type mysql2 from 'mysql2'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

import { rejection } from './eventually.ts'
import { DRIVERS } from './mysql/drivers.ts'
import { endAll } from './mysql/server.ts'
import { quietLog } from './quiet-log.ts'

const REGION = 'eu-west-1'
const USER = 'iam_one'
const LONG =
  'select count(*) from information_schema.columns a, information_schema.columns b, information_schema.columns c'
/** Made up; the server knows them, nobody else does. The session token is short, because PAM cuts long ones. */
const SIGNER = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'of no use to anybody', sessionToken: 'short' }
const REVOKED = { ...SIGNER, accessKeyId: 'AKIDREVOKED' }

const servers = iamAvailability().filter(({ engine }) => engine === 'mariadb')

describe.each(servers.filter(({ available }) => available))('on $name', ({ start }) => {
  let server: DatabaseServer
  const pools: mysql2.Pool[] = []

  beforeAll(async () => {
    const tls = await (await createAuthority()).issue()
    const iam = { users: [USER], host: 'localhost', region: REGION, credentials: [SIGNER, REVOKED] }
    server = await start({ tls, iam })
  })
  afterEach(() => endAll(pools))
  afterAll(() => server.dispose())

  describe.each(DRIVERS)('with %s', (_name, driver) => {
    it('a statement is stopped with a token of now, and a new one after a refusal', async () => {
      const signers = [REVOKED]
      const credentials = iamToken({
        hostname: 'localhost',
        region: REGION,
        credentials: () => Promise.resolve(signers.shift() ?? SIGNER),
      })
      const pool = driver.createPool({
        host: 'localhost',
        port: server.port,
        database: server.database,
        user: USER,
        ssl: { ca: server.tls?.ca ?? '', verifyIdentity: true },
        credentials,
        connectionLimit: 1,
        logger: quietLog(),
      })
      pools.push(pool)
      await pool.promise().query('select 1')
      const seen = server.iam?.verdicts().length ?? 0
      server.iam?.setCredentials([SIGNER])
      try {
        const error = await rejection(pool.promise().query({ sql: LONG, queryTimeoutMs: 200 }))
        expect(error).toMatchObject({ code: 'QUERY_TIMEOUT', cause: { errno: 1317 } })
        const reasons = server.iam?.verdicts().slice(seen)
        expect(reasons?.map(({ reason }) => reason)).toEqual(['access key', 'ok'])
      } finally {
        server.iam?.setCredentials([SIGNER, REVOKED])
      }
    })
  })
})

const missing = servers.filter(({ available }) => !available)

describe.skipIf(missing.length > 0).each(missing)('$name cannot verify tokens here: $remedy', () => {
  it('takes tokens', () => {})
})
