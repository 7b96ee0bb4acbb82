// Behind a pooler the server can hold no lease: noticed once, said once, and the pool goes on.
import { createPool, failureDetails, govern, type GovernedPool } from '@leasehold/pg-adapter'
import { type Pgbouncer, startPgbouncer } from '@leasehold/test-databases'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

import { eventually, rejection } from '../eventually.ts'
import { quietLog } from '../quiet-log.ts'
import { endAll, postgresUnderTest } from './server.ts'

const SHORT = { minLeaseMs: 1_000, maxLeaseMs: 1_000 }

describe('behind PgBouncer', () => {
  const under = postgresUnderTest()
  const pools: pg.Pool[] = []
  let refusing: Pgbouncer | undefined
  let ignoring: Pgbouncer | undefined
  beforeAll(async () => {
    refusing = await startPgbouncer(under.server)
    ignoring = await startPgbouncer(under.server, {
      ignore_startup_parameters: 'extra_float_digits,options',
    })
  })
  afterEach(() => endAll(pools))
  afterAll(async () => {
    await refusing?.dispose()
    await ignoring?.dispose()
  })

  const open = (
    pooler: Pgbouncer | undefined,
    options: Parameters<typeof createPool>[0] = {},
  ): { pool: GovernedPool; lines: readonly string[] } => {
    const log = quietLog()
    const pool = createPool({ ...under.target, ...pooler, logger: log, ...options })
    pools.push(pool)
    return { pool, lines: log.lines }
  }
  const serverIds = async (): Promise<number[]> => (await under.server.sessions()).map(({ id }) => id)

  describe('when it refuses start-up options', () => {
    it('connects without a lease, counts that and says it once', async () => {
      const { pool, lines } = open(refusing, { max: 3 })
      for (let turn = 0; turn < 2; turn += 1) {
        await Promise.all([1, 2, 3].map(() => pool.query('select 1')))
        pool.leasehold.drain()
      }
      expect(pool.leasehold.stats().leaseRefused).toBeGreaterThan(0)
      expect(lines).toEqual([expect.stringContaining('refuses a lease at start-up')])
    })

    it('asks the next connection for no lease', async () => {
      const { pool } = open(refusing, { max: 1 })
      await pool.query('select 1')
      pool.leasehold.drain()
      await pool.query('select 1')
      expect(pool.leasehold.stats()).toMatchObject({ opened: 2, leaseRefused: 1 })
    })

    it('drops idle connections by its own clock', async () => {
      const { pool } = open(refusing, { max: 1, ...SHORT })
      await pool.query('select 1')
      const idleMs = performance.now()
      await eventually('the lease is over', () => performance.now() - idleMs > 1_000)
      await pool.query('select 1')
      expect(pool.leasehold.stats()).toMatchObject({ opened: 2, lapsed: 1, lost: 0 })
    })

    it('notices for all clients of a governed module together, and says it once', async () => {
      const log = quietLog()
      const { Client } = govern(pg)
      for (let turn = 0; turn < 3; turn += 1) {
        const client = new Client({ ...under.target, ...refusing, logger: log })
        await client.connect()
        expect((await client.query('select 1 as v')).rows).toEqual([{ v: 1 }])
        await client.end()
      }
      expect(log.lines).toHaveLength(1)
    })

    it('still counts the slots of the server', async () => {
      const { pool } = open(refusing, { max: 1 })
      await pool.query('select 1')
      expect(await pool.leasehold.census()).toMatchObject({ slotCount: under.server.slots })
    })
  })

  it('says of a statement that the server died under that it may have run', async () => {
    const pooler = await startPgbouncer(under.server)
    const { pool } = open(pooler, { max: 1 })
    const asked = rejection(pool.query('select pg_sleep(30)'))
    await eventually('it runs', async () => (await under.server.sessions()).some(({ idle }) => !idle))
    await under.server.kill()
    const error = await asked
    await under.server.start()
    await pooler.dispose()
    expect(error).toMatchObject({ code: '08P01' })
    expect(failureDetails(error)).toMatchObject({ kind: 'lost', statementMayHaveRun: true })
  })

  describe('when it ignores start-up options', () => {
    it('notices at the first census that the server holds no lease, counts that and says it once', async () => {
      const { pool, lines } = open(ignoring, { max: 2 })
      await Promise.all([pool.query('select 1'), pool.query('select 1')])
      await eventually('a census', () => pool.leasehold.stats().leaseRefused > 0)
      await pool.query('select 1')
      expect(lines).toEqual([expect.stringContaining('does not hold the lease')])
    })

    it("leaves the timeout of the pooler's own session as it was", async () => {
      const { pool } = open(ignoring, SHORT)
      await pool.query('select 1')
      await eventually('a census', () => pool.leasehold.stats().leaseRefused > 0)
      const bare = new pg.Pool({ ...under.target, ...ignoring, max: 1 })
      pools.push(bare)
      expect((await bare.query('show idle_session_timeout')).rows).toEqual([{ idle_session_timeout: '0' }])
    })

    it("ends none of the pooler's sessions", async () => {
      const { pool } = open(ignoring, { max: 1, ...SHORT })
      await pool.query('select 1')
      await eventually('a census', () => pool.leasehold.stats().leaseRefused > 0)
      const before = await serverIds()
      const idleMs = performance.now()
      await eventually('every lease would be over', () => performance.now() - idleMs > 1_500)
      expect(await serverIds()).toEqual(before)
      expect((await pool.query('select 1 as v')).rows).toEqual([{ v: 1 }])
    })

    it('changes no timeout by a census that another client of the pooler asks for', async () => {
      const first = open(ignoring, SHORT).pool
      const second = open(ignoring, { minLeaseMs: 2_000 }).pool
      for (const pool of [first, second, first]) {
        await pool.query('select 1')
        await pool.leasehold.census()
      }
      expect((await second.query('show idle_session_timeout')).rows).toEqual([{ idle_session_timeout: '0' }])
    })
  })
})
