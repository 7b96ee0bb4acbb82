// What libraries look for in a pg.Pool before they take it for one.
import { createPool, type GovernedPool } from '@leasehold/pg-adapter'
import pg from 'pg'
import { afterEach, describe, expect, it } from 'vitest'

import { endAll, postgresUnderTest } from './server.ts'

describe('a governed pool, as a pg.Pool', () => {
  const under = postgresUnderTest()
  const pools: GovernedPool[] = []
  const open = (options: Parameters<typeof createPool>[0] = {}): GovernedPool => {
    const pool = createPool({ ...under.target, ...options })
    pools.push(pool)
    return pool
  }
  afterEach(() => endAll(pools))

  it('is an instance of the pg.Pool that the application imports', () => {
    expect(open()).toBeInstanceOf(pg.Pool)
  })

  it('has a class name with "Pool" in it', () => {
    expect(Object.getPrototypeOf(open()).constructor.name).toContain('Pool')
  })

  it('hands out instances of the pg.Client that the application imports', async () => {
    const client = await open().connect()
    expect(client).toBeInstanceOf(pg.Client)
    client.release()
  })

  it('makes further clients by its Client', async () => {
    const pool = open()
    const { Client } = pool as unknown as { Client: typeof pg.Client }
    const client = new Client({ ...pool.options, password: under.target.password })
    await client.connect()
    expect((await client.query('select 1 as v')).rows).toEqual([{ v: 1 }])
    await client.end()
  })

  it('hands out the same client object at every checkout', async () => {
    const pool = open({ max: 1 })
    const first = await pool.connect()
    first.release()
    const second = await pool.connect()
    expect(second).toBe(first)
    second.release()
  })

  it('keeps the properties that a library puts on a client', async () => {
    const pool = open({ max: 1 })
    const mark = Symbol('mark')
    const first = await pool.connect()
    Object.assign(first, { __knexUid: 'a', [mark]: 'b' })
    first.release()
    const second = await pool.connect()
    expect(second).toMatchObject({ __knexUid: 'a', [mark]: 'b' })
    second.release()
  })

  it('gives clients the members that libraries read', async () => {
    const client = (await open().connect()) as pg.PoolClient & Record<string, unknown>
    const [{ id } = { id: 0 }] = (await client.query<{ id: number }>('select pg_backend_pid() as id')).rows
    expect(client['processID']).toBe(id)
    expect(client['secretKey']).toEqual(expect.any(Number))
    expect(client['connection']).toMatchObject({ parsedStatements: {} })
    expect(client.getTransactionStatus?.()).toBe('I')
    expect(client.escapeIdentifier('a"b')).toBe('"a""b"')
    client.release()
  })

  it('shows the driver its own options and none of ours', async () => {
    const pool = open({ max: 3, fleet: 'shop', minLeaseMs: 1_000, backoff: { baseMs: 1 }, lease: 'server' })
    expect(pool.options).toMatchObject({ host: under.target.host, port: under.target.port, max: 3 })
    for (const name of ['fleet', 'minLeaseMs', 'backoff', 'lease'])
      expect(pool.options).not.toHaveProperty(name)
    const client = await pool.connect()
    expect(client).not.toHaveProperty('fleet')
    client.release()
  })

  it('leaves the options object of its caller as it is', async () => {
    const options = Object.freeze({ ...under.target, max: 2, maxLeaseMs: 60_000, options: '-c work_mem=8MB' })
    const before = { ...options }
    const pool = open(options)
    await pool.query('select 1')
    expect(options).toEqual(before)
  })

  it('keeps the start-up options that the application asked for beside the lease', async () => {
    const pool = open({ options: '-c work_mem=8MB' })
    expect((await pool.query('show work_mem')).rows).toEqual([{ work_mem: '8MB' }])
    expect((await pool.query('show idle_session_timeout')).rows).not.toEqual([{ idle_session_timeout: '0' }])
  })

  it('takes a connection string', async () => {
    const { user, password, host, port, database } = under.target
    const connectionString = `postgres://${user}:${password}@${host}:${port}/${database}`
    const pool = createPool({ connectionString, max: 1 })
    expect((await pool.query('select current_user as v')).rows).toEqual([{ v: user }])
    await pool.end()
  })

  it('takes the password from options that hide it from printing', async () => {
    const options = { ...under.target }
    Object.defineProperty(options, 'password', { enumerable: false })
    const pool = createPool(options)
    expect((await pool.query('select 1 as v')).rows).toEqual([{ v: 1 }])
    await pool.end()
  })

  it('calls onConnect once for each new connection, before it is handed out', async () => {
    const seen: string[] = []
    const pool = open({
      max: 1,
      onConnect: (client: pg.ClientBase) => {
        void client.query(`set application_name = 'mine'`)
        seen.push('connected')
      },
    })
    expect((await pool.query('show application_name')).rows).toEqual([{ application_name: 'mine' }])
    await pool.query('select 1')
    expect(seen).toEqual(['connected'])
  })
})
