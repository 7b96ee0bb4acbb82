// Weakness 22: passwords that travel in the clear, as tokens do, need an option that nobody is told of.
import { iamToken } from '@leasehold/core/aws'
import serverlessMysql from '@leasehold/mysql-adapter/serverless-mysql'
import { createAuthority, type DatabaseServer, iamAvailability } from '@leasehold/test-databases'
import mysql2 from 'mysql2'
import original from 'serverless-mysql'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { rejection } from '../eventually.ts'

const REGION = 'eu-west-1'
const USER = 'iam_one'
/** Made up; the server knows it, nobody else does. */
const SIGNER = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'of no use to anybody', sessionToken: 'short' }

const servers = iamAvailability().filter(({ engine }) => engine === 'mariadb')

describe.each(servers.filter(({ available }) => available))('22: a token, on $name', ({ start }) => {
  let server: DatabaseServer

  const config = (): object => {
    const { port, database, tls } = server
    return { host: 'localhost', port, database, user: USER, ssl: { ca: tls?.ca, verifyIdentity: true } }
  }

  beforeAll(async () => {
    const tls = await (await createAuthority()).issue()
    const iam = { users: [USER], host: 'localhost', region: REGION, credentials: [SIGNER] }
    server = await start({ tls, iam })
  })
  afterAll(() => server.dispose())

  it('with leasehold: logs in', async () => {
    const credentials = iamToken({ hostname: 'localhost', region: REGION, credentials: SIGNER })
    const db = serverlessMysql({ config: { ...config(), credentials } })
    const [row] = await db.query<{ v: string }[]>('select user() as v')
    db.quit()
    expect(row?.v).toMatch(/^iam_one@/)
  })

  it('with serverless-mysql 2.1.0: is refused by the driver', async () => {
    const db = original({ library: mysql2, config: { ...config(), password: 'a token' } } as object)
    const error = await rejection(db.connect())
    expect(error.message).toContain('mysql_clear_password')
  })
})

const missing = servers.filter(({ available }) => !available)

describe.skipIf(missing.length > 0).each(missing)('$name cannot verify tokens here: $remedy', () => {
  it('takes tokens', () => {})
})
