// The census says how many sessions more a login can open: so many are then opened, and the next is refused.
import { connect } from 'node:net'
import { setTimeout } from 'node:timers/promises'

import { createPool, type GovernedPool, type PoolOptions } from '@leasehold/mysql-adapter'
import { availability, type DatabaseServer, type Login, type ServerOptions } from '@leasehold/test-databases'
import mysql2 from 'mysql2/promise'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

import { eventually } from '../eventually.ts'
import { quietLog } from '../quiet-log.ts'

const MAX_CONNECTIONS = 18
/** ER_CON_COUNT_ERROR, ER_TOO_MANY_USER_CONNECTIONS, ER_USER_LIMIT_REACHED */
const REFUSALS: readonly unknown[] = [1040, 1203, 1226]

const here = (await availability()).filter(({ engine, available }) => engine === 'mariadb' || available)
const SERVERS = here
  .filter(({ engine }) => engine !== 'postgresql')
  .flatMap(({ name, engine, start }) =>
    (['ON', 'OFF'] as const).map((watched) => ({ name, engine, start, watched })),
  )

describe.each(SERVERS)('the census of $name, performance_schema $watched', ({ engine, start, watched }) => {
  let server: DatabaseServer
  const connections: mysql2.Connection[] = []
  const pools: GovernedPool[] = []

  beforeAll(async () => {
    // MariaDB lets no limit for each login be set later unless there is one from the start.
    const settings = { performance_schema: watched, max_user_connections: '1000' }
    const options: ServerOptions = { maxConnections: MAX_CONNECTIONS, settings }
    server = await start(options)
    await share(0)
  })
  afterEach(async () => {
    for (const pool of pools.splice(0)) pool.end(() => {})
    await Promise.all(connections.splice(0).map((connection) => connection.end()))
    await share(0)
    await eventually('no session is left', async () => (await server.sessions()).length === 0)
  })
  afterAll(() => server.dispose())

  /** Sets what the server allows each login; MariaDB keeps 1 000 where MySQL can take 0 for none. */
  const share = async (count: number): Promise<unknown> =>
    server.admin(`set global max_user_connections = ${count === 0 && engine === 'mariadb' ? 1_000 : count}`)
  /** Opens a session that nobody governs; false where it is refused for want of a slot. */
  const open = async (login: Login, localAddress = '127.0.0.1'): Promise<boolean> => {
    const { host, port, database } = server
    try {
      const connection = await mysql2.createConnection({
        ...{ database, ...login, stream: () => connect({ host, port, localAddress }) },
      })
      connection.on('error', () => {})
      connections.push(connection)
      return true
    } catch (error) {
      if (REFUSALS.includes((error as { errno?: unknown }).errno)) return false
      throw error
    }
  }
  const openSome = async (count: number, ...more: Parameters<typeof open>): Promise<void> => {
    for (let index = 0; index < count; index += 1) expect(await open(...more)).toBe(true)
  }
  const poolOf = (login: Login, options: PoolOptions = {}): GovernedPool => {
    const { host, port, database } = server
    const own = { host, port, database, ...login, connectionLimit: 1, logger: quietLog() }
    const pool = createPool({ ...own, ...options })
    pools.push(pool)
    return pool
  }
  const room = async (login: Login): Promise<number> => {
    let count = 0
    while (await open(login)) count += 1
    return count
  }
  const viewOf = async (pool: GovernedPool) => {
    await pool.promise().query('select 1')
    const view = await pool.leasehold.census()
    if (view === undefined) throw new Error('there is no census')
    return view
  }
  /** As many as it takes to know the server: without performance_schema, MySQL tells of itself first. */
  const secondViewOf = async (pool: GovernedPool) => {
    await viewOf(pool)
    return await viewOf(pool)
  }

  it('counts against max_connections, all logins alike', async () => {
    await openSome(9, await server.createLogin())
    const view = await viewOf(poolOf(server.login))
    expect(view).toMatchObject({
      limit: 'server',
      usedCount: 10 + server.controlSessions,
      slotCount: MAX_CONNECTIONS,
      freeCount: MAX_CONNECTIONS - 10 - server.controlSessions,
    })
    expect(await room(server.login)).toBe(view.freeCount)
  })

  it("counts against the account's limit where that is closer, from whatever address it comes", async () => {
    const limited = await server.createLogin({ maxConnections: 5 })
    await openSome(4, await server.createLogin())
    await openSome(1, limited)
    await openSome(1, limited, '127.0.0.2')
    const view = await secondViewOf(poolOf(limited))
    expect(view).toMatchObject({ limit: 'login', usedCount: 3, slotCount: 5, freeCount: 2 })
    expect(await room(limited)).toBe(2)
  })

  it("counts no other's sessions against it, though the login may see them", async () => {
    const limited = await server.createLogin({ maxConnections: 5 })
    await server.admin(`grant process on *.* to '${limited.user}'@'%'`)
    await openSome(4, await server.createLogin())
    await openSome(1, limited)
    const view = await secondViewOf(poolOf(limited))
    expect(view).toMatchObject({ limit: 'login', usedCount: 2, slotCount: 5, freeCount: 3 })
    expect(await room(limited)).toBe(3)
  })

  it("counts against the server's limit for each login", async () => {
    await share(4)
    await openSome(2, await server.createLogin())
    await openSome(1, server.login)
    const view = await secondViewOf(poolOf(server.login))
    expect(view).toMatchObject({ limit: 'login', usedCount: 2, slotCount: 4, freeCount: 2 })
    expect(await room(server.login)).toBe(2)
  })

  it('says how many are free by all limits, though another one is under more pressure', async () => {
    const limited = await server.createLogin({ maxConnections: 2 })
    await openSome(10, await server.createLogin())
    const view = await secondViewOf(poolOf(limited))
    expect(view).toMatchObject({ limit: 'server', usedCount: 11 + server.controlSessions, freeCount: 1 })
    expect(await room(limited)).toBe(1)
  })

  it('shortens the lease where the account is short of slots, though the server is not', async () => {
    const limited = await server.createLogin({ maxConnections: 3 })
    await openSome(2, limited)
    const pool = poolOf(limited, { minLeaseMs: 3_000 })
    await secondViewOf(pool)
    const [rows] = await pool.promise().query('select @@session.wait_timeout as lease')
    expect(rows).toEqual([{ lease: 3 }])
  })

  it('opens with a short lease where the account is limited, and lengthens it by the census', async () => {
    const limited = await server.createLogin({ maxConnections: 10 })
    const pool = poolOf(limited, { minLeaseMs: 3_000, censusEveryMs: 600_000 })
    const read = async (): Promise<unknown> =>
      (await pool.promise().query('select @@session.wait_timeout as lease'))[0]
    expect(await read()).toEqual([{ lease: 3 }])
    await eventually('a census', () => pool.leasehold.stats().censuses > 0)
    expect(await read()).toEqual([{ lease: 300 }])
  })

  it('tells how long newcomers had to wait, to every login of the fleet and to no other', async () => {
    const other = await server.createLogin()
    const holder = poolOf(other)
    await holder.promise().query('select 1')
    while (await open(server.login));
    const newcomer = poolOf(server.login)
    // In use: as one that is idle, in a fleet that does nothing, it would be given up at once.
    const isIn = newcomer.promise().getConnection()
    await setTimeout(600)
    await Promise.all(connections.splice(0, 2).map((connection) => connection.end()))
    const taken = await isIn
    const view = await holder.leasehold.census()
    expect(view?.waiting).toBe(true)
    // Told by half a doubling; the attempts lie some hundred milliseconds apart.
    expect(view?.typicalWaitMs).toBeGreaterThanOrEqual(400)
    expect(view?.typicalWaitMs).toBeLessThanOrEqual(3_200)
    expect((await viewOf(poolOf(other, { fleet: 'another' }))).typicalWaitMs).toBeUndefined()
    taken.release()
  })

  it('says how many of the other sessions are at work', async () => {
    await openSome(10, server.login)
    const pool = poolOf(server.login)
    expect((await viewOf(pool)).busyShare).toBeLessThan(0.2)
    const working = connections.slice(0, 8).map((connection) => connection.query('select sleep(0.5)'))
    await setTimeout(100)
    const view = await pool.leasehold.census()
    expect(view?.busyShare).toBeGreaterThanOrEqual(0.8)
    expect(view?.busyShare).toBeLessThanOrEqual(1)
    await Promise.all(working)
  })

  it('tells of no wait where nobody had to', async () => {
    await openSome(10, server.login)
    const view = await secondViewOf(poolOf(server.login))
    expect(view).toMatchObject({ waiting: false, typicalWaitMs: undefined })
  })
})
