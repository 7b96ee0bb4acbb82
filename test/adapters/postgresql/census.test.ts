// The census says how many sessions more a login can open: so many are then opened, and the next is refused.
import { createPool, type GovernedPool } from '@leasehold/pg-adapter'
import { availability, type DatabaseServer, type Login, startPostgres } from '@leasehold/test-databases'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

import { eventually } from '../eventually.ts'
import { quietLog } from '../quiet-log.ts'
import { programsOf } from './majors.ts'

const SYSTEM = await availability()
const has15 = SYSTEM.some(({ name, available }) => name === 'PostgreSQL 15' && available)
/** Reserved slots besides the superuser's came with 16. */
const MAJORS = ([18, 17, 16, 15, 14] as const).filter((major) => major !== 15 || has15)
const MAX_CONNECTIONS = 18

async function start(major: (typeof MAJORS)[number]): Promise<DatabaseServer> {
  const settings = major >= 16 ? { reserved_connections: '2' } : {}
  const options = { maxConnections: MAX_CONNECTIONS, settings: { ...settings, wal_level: 'logical' } }
  if (major === 18 || major === 15) return await startPostgres({ ...options, major })
  return await startPostgres({ ...options, programs: programsOf(major) })
}

describe.each(MAJORS)('the census of PostgreSQL %i', (major) => {
  let server: DatabaseServer
  const clients: pg.Client[] = []
  const pools: GovernedPool[] = []

  beforeAll(async () => {
    server = await start(major)
  })
  afterEach(async () => {
    await Promise.all(pools.splice(0).map((pool) => pool.end()))
    await Promise.all(clients.splice(0).map((client) => client.end()))
    await server.admin(`alter database ${server.database} connection limit -1`)
    await eventually('no session is left', async () => (await server.sessions()).length === 0)
  })
  afterAll(() => server.dispose())

  /** Opens a session that nobody governs; false where it is refused for want of a slot. */
  const open = async (login: Login, more: pg.ClientConfig = {}): Promise<boolean> => {
    const { host, port, database } = server
    const client = new pg.Client({ host, port, database, ...login, ...more })
    client.on('error', () => {})
    try {
      await client.connect()
    } catch (error) {
      if ((error as { code?: string }).code === '53300') return false
      throw error
    }
    clients.push(client)
    return true
  }
  const openSome = async (count: number, login: Login, more?: pg.ClientConfig): Promise<void> => {
    for (let index = 0; index < count; index += 1) expect(await open(login, more)).toBe(true)
  }
  const poolOf = (login: Login): GovernedPool => {
    const { host, port, database } = server
    const pool = createPool({ host, port, database, ...login, max: 1, minLeaseMs: 1_500, logger: quietLog() })
    pools.push(pool)
    return pool
  }
  /** Opens sessions until one is refused. */
  const room = async (login: Login): Promise<number> => {
    let count = 0
    while (await open(login)) count += 1
    return count
  }
  const viewOf = async (pool: GovernedPool) => {
    await pool.query('select 1')
    const view = await pool.leasehold.census()
    if (view === undefined) throw new Error('there is no census')
    return view
  }

  it('counts against max_connections less what is reserved', async () => {
    const foreign = await server.createLogin()
    await openSome(9, foreign)
    await openSome(1, foreign, { database: 'postgres' })
    const view = await viewOf(poolOf(server.login))
    const slotCount = MAX_CONNECTIONS - 3 - (major >= 16 ? 2 : 0)
    expect(view).toMatchObject({ limit: 'server', usedCount: 11, slotCount, freeCount: slotCount - 11 })
    expect(await room(server.login)).toBe(view.freeCount)
  })

  it("counts against the role's limit where that is closer, and the role's sessions alone", async () => {
    const limited = await server.createLogin({ maxConnections: 5 })
    await openSome(4, await server.createLogin())
    await openSome(1, limited)
    await openSome(1, limited, { database: 'postgres' })
    const view = await viewOf(poolOf(limited))
    expect(view).toMatchObject({ limit: 'login', usedCount: 3, slotCount: 5, freeCount: 2 })
    expect(await room(limited)).toBe(2)
  })

  it('takes the role that logged in, whatever role it has set since', async () => {
    const limited = await server.createLogin({ maxConnections: 3 })
    const other = await server.createLogin()
    await server.admin(`grant ${other.user} to ${limited.user}`)
    const pool = poolOf(limited)
    await pool.query(`set role ${other.user}`)
    const view = await viewOf(pool)
    expect(view).toMatchObject({ limit: 'login', usedCount: 1, slotCount: 3 })
    expect(await room(limited)).toBe(2)
  })

  it("counts against the database's limit where that is closer, and all roles' sessions on it", async () => {
    await server.admin(`alter database ${server.database} connection limit 6`)
    const foreign = await server.createLogin()
    await openSome(3, foreign)
    await openSome(2, foreign, { database: 'postgres' })
    const view = await viewOf(poolOf(server.login))
    expect(view).toMatchObject({ limit: 'database', usedCount: 4, slotCount: 6, freeCount: 2 })
    expect(await room(server.login)).toBe(2)
  })

  it('says how many are free by all limits, though another one is under more pressure', async () => {
    const limited = await server.createLogin({ maxConnections: 2 })
    await openSome(10, await server.createLogin())
    const view = await viewOf(poolOf(limited))
    expect(view).toMatchObject({ limit: 'server', usedCount: 11, freeCount: 1 })
    expect(await room(limited)).toBe(1)
  })

  it('counts no replication, which has places of its own', async () => {
    const reader = await server.createLogin()
    await server.admin(`alter role ${reader.user} replication`)
    const replication = { replication: 'database' } as pg.ClientConfig
    await openSome(2, reader, replication)
    const view = await viewOf(poolOf(server.login))
    expect(view.usedCount).toBe(1)
    expect(await room(server.login)).toBe(view.freeCount)
  })

  it('shortens the lease where the role is short of slots, though the server is not', async () => {
    const limited = await server.createLogin({ maxConnections: 3 })
    await openSome(2, limited)
    const pool = poolOf(limited)
    await viewOf(pool)
    const shown = await pool.query('show idle_session_timeout')
    expect(shown.rows).toEqual([{ idle_session_timeout: '1500ms' }])
  })

  it('looks again for limits that were not there', async () => {
    const login = await server.createLogin()
    const pool = poolOf(login)
    expect((await viewOf(pool)).limit).toBe('server')
    await server.admin(`alter role ${login.user} connection limit 1`)
    let count = 0
    while ((await viewOf(pool)).limit !== 'login' && count < 100) count += 1
    expect(count).toBeGreaterThan(50)
    expect(count).toBeLessThan(70)
    await server.admin(`alter role ${login.user} connection limit -1`)
    expect((await viewOf(pool)).limit).toBe('server')
  })
})
