// Users that take turns, on real servers: who logs in as whom, and who may stop whose statements.
import type { CredentialRequest, CredentialSource } from '@leasehold/core'
import type { GovernedPool, PoolOptions } from '@leasehold/mysql-adapter'
import { type DatabaseServer, type Login, startMariadb } from '@leasehold/test-databases'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'

import { eventually, rejection } from './eventually.ts'
import { DRIVERS } from './mysql/drivers.ts'
import { endAll } from './mysql/server.ts'
import { quietLog } from './quiet-log.ts'

const LONG =
  'select count(*) from information_schema.columns a, information_schema.columns b, information_schema.columns c'

class Source implements CredentialSource {
  readonly isClearText = false
  readonly requests: CredentialRequest[] = []
  readonly #logins: Login[]

  /** @param logins each is given until it is told to go on, or is refused */
  constructor(...logins: Login[]) {
    this.#logins = logins
  }

  goOn(): void {
    this.#logins.shift()
  }

  get(request: CredentialRequest): Promise<Login | undefined> {
    this.requests.push(request)
    const { refused = [] } = request
    return Promise.resolve(
      this.#logins.find(({ password }) => !refused.some((one) => one.password === password)),
    )
  }
}

describe.each(DRIVERS)('users in turn on MariaDB, with %s', (_name, driver) => {
  let server: DatabaseServer
  let blue: Login
  let green: Login
  const pools: GovernedPool[] = []

  const open = (credentials: CredentialSource, options: PoolOptions = {}): GovernedPool => {
    const { host, port, database } = server
    const pool = driver.createPool({ host, port, database, credentials, logger: quietLog(), ...options })
    pools.push(pool)
    return pool
  }

  beforeAll(async () => {
    server = await startMariadb()
  })
  beforeEach(async () => {
    blue = await server.createLogin()
    green = await server.createLogin()
  })
  afterEach(() => endAll(pools))
  afterAll(() => server.dispose())

  it('log in as themselves where two connect at the same time', async () => {
    const logins = [blue, green]
    const credentials: CredentialSource = {
      isClearText: false,
      get: () => Promise.resolve(logins.shift()),
    }
    const pool = open(credentials, { connectionLimit: 2 }).promise()
    const held = await Promise.all([pool.getConnection(), pool.getConnection()])
    const userOf = async (connection: (typeof held)[number]): Promise<string | undefined> => {
      const [rows] = await connection.query('select user() as v')
      return String((rows as { v: string }[])[0]?.v).split('@')[0]
    }
    expect(new Set(await Promise.all(held.map(userOf)))).toEqual(new Set([blue.user, green.user]))
    for (const connection of held) connection.release()
  })

  /** Rejects as a statement that was stopped on the server, and leaves its session. */
  const expectStopped = async (pool: GovernedPool): Promise<void> => {
    const error = await rejection(pool.promise().query({ sql: LONG, queryTimeoutMs: 200 }))
    expect(error).toMatchObject({ code: 'QUERY_TIMEOUT', cause: { errno: 1317 } })
    expect(pool.leasehold.stats().opened).toBe(1)
    await eventually('nothing runs', async () => (await server.sessions()).every(({ idle }) => idle))
  }

  it('stop statements of sessions of the one before', async () => {
    const source = new Source(blue, green)
    const pool = open(source, { connectionLimit: 1 })
    await pool.promise().query('select 1')
    source.goOn()
    await expectStopped(pool)
  })

  it('stop a statement after a refusal, where the password is another by now', async () => {
    const renewed = { user: blue.user, password: `${blue.password}2` }
    const source = new Source(blue, renewed)
    const pool = open(source, { connectionLimit: 1 })
    await pool.promise().query('select 1')
    await server.setPassword(blue.user, renewed.password)
    await expectStopped(pool)
    expect(source.requests.map(({ refusals }) => refusals)).toEqual([0, 0, 1])
  })

  it('are asked to stop a statement no more often than there are credentials', async () => {
    const source = new Source(blue)
    const pool = open(source, { connectionLimit: 1 })
    await pool.promise().query('select 1')
    await server.setPassword(blue.user, 'of nobody')
    const error = await rejection(pool.promise().query({ sql: LONG, queryTimeoutMs: 200 }))
    expect(error).toMatchObject({ code: 'QUERY_TIMEOUT', message: expect.stringContaining('cut') })
    expect(source.requests.map(({ refusals }) => refusals)).toEqual([0, 0, 1])
    for (const { id, idle } of await server.sessions()) if (!idle) await server.terminate(id)
  })
})
