// Every major version that may be met: the census is right on it, and the lease is held where it can be.
import { createPool } from '@leasehold/pg-adapter'
import { type DatabaseServer, startPostgres } from '@leasehold/test-databases'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { eventually } from '../eventually.ts'
import { type QuietLog, quietLog } from '../quiet-log.ts'
import { programsOf } from './majors.ts'

/** Version 18 runs the conformance suite, and 15 where the system has it. */
const MAJORS = [13, 14, 16, 17] as const
const RESERVED_FROM = 16
const LEASES_FROM = 14

/** One run of a test where it applies, and none where it does not. */
function only(applies: boolean): readonly true[] {
  return applies ? [true] : []
}

describe.each(MAJORS)('PostgreSQL %i', (major) => {
  let server: DatabaseServer | undefined
  const settings = major >= RESERVED_FROM ? { reserved_connections: '2' } : {}
  beforeAll(async () => {
    server = await startPostgres({ programs: programsOf(major), maxConnections: 15, settings })
  })
  afterAll(() => server?.dispose())

  const target = (): pg.PoolConfig => {
    const { host, port, database, login } = server as DatabaseServer
    return { host, port, database, ...login }
  }
  const openPool = (log: QuietLog = quietLog()): ReturnType<typeof createPool> =>
    createPool({ ...target(), max: 3, logger: log })

  it('is the version that this test is about', () => {
    expect(server?.version).toMatch(new RegExp(`^${major}\\.`))
  })

  it("counts as many slots and sessions as the server's administrator does", async () => {
    const pool = openPool()
    const foreign = new pg.Client({ ...target(), ...(await server?.createLogin()) })
    await foreign.connect()
    const held = await Promise.all([pool.connect(), pool.connect(), pool.connect()])
    for (const client of held) client.release()
    const counted = await server?.admin(`select count(*)::int as n from pg_stat_activity
      where backend_type = 'client backend' and pid <> pg_backend_pid()`)
    const view = await pool.leasehold.census()
    expect(counted).toEqual([{ n: 4 }])
    expect(view).toMatchObject({ usedCount: 4, fleetCount: 3, slotCount: server?.slots })
    await foreign.end()
    await pool.end()
  })

  it.each(only(major >= RESERVED_FROM))('takes reserved_connections for no slots of ours', () => {
    expect(server?.slots).toBe(15 - 3 - 2)
  })

  it.each(only(major >= LEASES_FROM))('holds the lease that it is asked for', async () => {
    const log = quietLog()
    const pool = openPool(log)
    await pool.query('select 1')
    await eventually('a census', () => pool.leasehold.stats().censuses > 0)
    const shown = await pool.query('show idle_session_timeout')
    expect(shown.rows).toEqual([{ idle_session_timeout: '5min' }])
    expect(pool.leasehold.stats().leaseRefused).toBe(0)
    expect(log.lines).toEqual([])
    await pool.end()
  })

  it.each(only(major < LEASES_FROM))('falls back to its own clock once, and says so once', async () => {
    const log = quietLog()
    const pool = openPool(log)
    await pool.query('select 1')
    pool.leasehold.drain()
    await Promise.all([pool.query('select 1'), pool.query('select 1')])
    expect(pool.leasehold.stats().leaseRefused).toBe(1)
    expect(log.lines).toEqual([expect.stringContaining('refuses a lease at start-up')])
    await pool.end()
  })
})
