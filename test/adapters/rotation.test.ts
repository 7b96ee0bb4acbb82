// Rotation under load: three of each strategy, with new connections all along, and no request fails.
import { randomBytes } from 'node:crypto'

import { secret } from '@leasehold/core/aws'
import { createPool as createMysqlPool } from '@leasehold/mysql-adapter'
import { createPool as createPgPool } from '@leasehold/pg-adapter'
import { availability, type DatabaseServer, startMariadb, startPostgres } from '@leasehold/test-databases'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { FakeSecretsManager } from '../aws/secrets-manager.ts'

const SECRET = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop-AbCdEf'
/** How long the database has the new password before AWSCURRENT does. */
const GAP_MS = 700
const ROTATIONS = 3

const pause = (durationMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, durationMs))
const newPassword = (): string => randomBytes(12).toString('hex')

interface Asked {
  ask(): Promise<unknown>
  /** The server's number of the session that answers. */
  session(): Promise<number>
  /** Connects that the server refused for their credential. */
  deniedCount(): number
  /** Closes the idle connections: the next requests have to log in. */
  drain(): void
  end(): Promise<unknown>
}

const ENGINES = {
  PostgreSQL: {
    start: startPostgres,
    open: (target: object): Asked => {
      const pool = createPgPool({ ...target, max: 4 })
      return {
        ask: () => pool.query('select 1'),
        session: async () =>
          Number((await pool.query<{ v: number }>('select pg_backend_pid() as v')).rows[0]?.v),
        deniedCount: () => pool.leasehold.stats().denied,
        drain: () => pool.leasehold.drain(),
        end: () => pool.end(),
      }
    },
  },
  MariaDB: {
    start: startMariadb,
    open: (target: object): Asked => {
      const pool = createMysqlPool({ ...target, connectionLimit: 4 })
      const promised = pool.promise()
      return {
        ask: () => promised.query('select 1'),
        session: async () => {
          const [rows] = await promised.query('select connection_id() as v')
          return Number((rows as { v: number }[])[0]?.v)
        },
        deniedCount: () => pool.leasehold.stats().denied,
        drain: () => pool.leasehold.drain(),
        end: () => promised.end(),
      }
    },
  },
}

const mysql = (await availability()).find(({ engine, available }) => engine === 'mysql' && available)

/** MySQL where it is installed. */
const EVERY_ENGINE = {
  ...ENGINES,
  ...(mysql === undefined ? {} : { MySQL: { start: mysql.start, open: ENGINES.MariaDB.open } }),
}

describe.each(Object.entries(EVERY_ENGINE))('rotation under load on %s', (_name, { start, open }) => {
  let server: DatabaseServer
  let manager: FakeSecretsManager

  beforeAll(async () => {
    server = await start()
    manager = await FakeSecretsManager.start()
  })
  afterAll(async () => {
    await manager.stop()
    await server.dispose()
  })

  const openPool = (): Asked => {
    const { host, port, database } = server
    const credentials = secret(SECRET, {
      region: 'eu-west-1',
      endpoint: manager.endpoint,
      credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'of no use to anybody' },
    })
    return open({ host, port, database, credentials })
  }

  /** Asks without pause in four places at once until `rotate` is done; resolves to what failed. */
  const underLoad = async (
    pool: Asked,
    rotate: () => Promise<void>,
  ): Promise<{ asked: number; failures: unknown[] }> => {
    const failures: unknown[] = []
    let asked = 0
    let over = false
    const load = async (): Promise<void> => {
      while (!over) {
        asked += 1
        try {
          await pool.ask()
        } catch (error) {
          failures.push(error)
        }
        await pause(2)
      }
    }
    const running = Promise.all([load(), load(), load(), load()])
    await rotate()
    over = true
    await running
    return { asked, failures }
  }

  /** Lets time pass in which new connections are made all along. */
  const passWithLogins = async (pool: Asked): Promise<void> => {
    for (let passedMs = 0; passedMs < GAP_MS; passedMs += 50) {
      pool.drain()
      await pause(50)
    }
  }

  it('fails no request while one user gets a new password', async () => {
    const { login } = server
    manager.put(SECRET, { username: login.user, password: login.password })
    const pool = openPool()
    await pool.ask()
    const { asked, failures } = await underLoad(pool, async () => {
      for (let rotation = 0; rotation < ROTATIONS; rotation += 1) {
        const password = newPassword()
        manager.createPending(SECRET, { username: login.user, password })
        await server.setPassword(login.user, password)
        await passWithLogins(pool)
        manager.finishRotation(SECRET)
        await passWithLogins(pool)
      }
    })
    await pool.end()
    expect(failures).toEqual([])
    expect(asked).toBeGreaterThan(200)
    // The pool did meet what a rotation does to it.
    expect(pool.deniedCount()).toBeGreaterThan(0)
  })

  it('leaves open sessions alone, of the user before too', async () => {
    const [first, second] = [await server.createLogin(), await server.createLogin()]
    manager.put(SECRET, { username: first.user, password: first.password })
    const pool = openPool()
    const session = await pool.session()
    for (const { user } of [first, second, first]) {
      const password = newPassword()
      manager.createPending(SECRET, { username: user, password })
      await server.setPassword(user, password)
      expect(await pool.session()).toBe(session)
      manager.finishRotation(SECRET)
      expect(await pool.session()).toBe(session)
    }
    await pool.end()
  })

  it('logs new connections in between the password’s change and the secret’s', async () => {
    const other = await server.createLogin()
    manager.put(SECRET, { username: other.user, password: other.password })
    for (let rotation = 0; rotation < ROTATIONS; rotation += 1) {
      const pool = openPool()
      await pool.ask()
      const password = newPassword()
      manager.createPending(SECRET, { username: other.user, password })
      await server.setPassword(other.user, password)
      pool.drain()
      await pool.ask()
      manager.finishRotation(SECRET)
      pool.drain()
      await pool.ask()
      await pool.end()
    }
    expect(manager.requests.length).toBeLessThan(ROTATIONS * 6)
  })

  it('fails no request while two users take turns', async () => {
    const users = [await server.createLogin(), await server.createLogin()]
    const [first = server.login, second = server.login] = users
    manager.put(SECRET, { username: first.user, password: first.password })
    const pool = openPool()
    await pool.ask()
    const { asked, failures } = await underLoad(pool, async () => {
      for (let rotation = 0; rotation < ROTATIONS; rotation += 1) {
        const next = rotation % 2 === 0 ? second : first
        const password = newPassword()
        manager.createPending(SECRET, { username: next.user, password })
        await server.setPassword(next.user, password)
        await passWithLogins(pool)
        manager.finishRotation(SECRET)
        await passWithLogins(pool)
      }
    })
    await pool.end()
    expect(failures).toEqual([])
    expect(asked).toBeGreaterThan(200)
    // The pool did meet what a rotation does to it.
    expect(pool.deniedCount()).toBeGreaterThan(0)
  })
})
