// Recalls on a real server: whose sessions are ended, whose never, and what their owners notice.
import { setTimeout as sleep } from 'node:timers/promises'

import { type LimitOf, recallTerms } from '@leasehold/core'
import { type GovernedPool, govern, postgresDialect, type PoolOptions } from '@leasehold/pg-adapter'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { eventually, rejection } from '../eventually.ts'
import { type QuietLog, quietLog } from '../quiet-log.ts'
import { endAll, postgresUnderTest } from './server.ts'

const { Pool, Client } = govern(pg)

/** Longer than any owner goes without asking whether its session is still there. */
const LONG_IDLE_MS = 1_700
/** The lock of whoever recalls the fleet's sessions. */
const LOCK = `hashtext('leasehold recall'), hashtext('lh:leasehold:')`

describe('a recall on PostgreSQL', () => {
  const under = postgresUnderTest(30)
  const pools: pg.Pool[] = []
  const clients: pg.Client[] = []
  let log: QuietLog
  const open = (options: PoolOptions = {}): GovernedPool => {
    const pool = new Pool({
      ...under.target,
      max: 1,
      logger: log,
      minLeaseMs: 60_000,
      reap: false,
      ...options,
    })
    pools.push(pool)
    return pool
  }
  const idleOne = async (options: PoolOptions = {}): Promise<GovernedPool> => {
    const pool = open(options)
    await pool.query('select 1')
    return pool
  }
  const bare = async (config: pg.ClientConfig = {}): Promise<pg.Client> => {
    const client = new pg.Client({ ...under.target, ...config })
    clients.push(client)
    client.on('error', () => {})
    await client.connect()
    return client
  }
  const pidOf = async (asked: pg.Pool | pg.Client | pg.PoolClient): Promise<number> =>
    (await asked.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]?.pid ?? 0
  const pids = async (): Promise<number[]> => (await under.server.sessions()).map(({ id }) => id)
  /** The connection of a reaper's, opened early: what it looks at is older than its first request. */
  const reapAfter = async (reaper: GovernedPool, idleMs: number): Promise<number> => {
    await sleep(idleMs)
    return reaper.leasehold.reap()
  }

  beforeEach(() => {
    log = quietLog()
  })
  afterEach(() => {
    endAll(pools)
    for (const client of clients.splice(0)) void client.end()
  })

  it('ends idle sessions across functions; their next requests just work, and nobody is told', async () => {
    const reaper = await idleOne()
    const victims = [
      await idleOne({ application_name: 'orders' }),
      await idleOne({ application_name: 'search' }),
    ]
    expect(await reapAfter(reaper, LONG_IDLE_MS)).toBe(2)
    await eventually('their sessions are gone', async () => (await pids()).length === 1)
    for (const victim of victims) {
      expect((await victim.query('select 7 as n')).rows).toEqual([{ n: 7 }])
      const { opened, lost, lapsed, gaveUp } = victim.leasehold.stats()
      expect({ opened, missed: lost + lapsed, gaveUp }).toEqual({ opened: 2, missed: 1, gaveUp: 0 })
    }
    expect(reaper.leasehold.stats()).toMatchObject({ reaped: 2, recallRefused: 0 })
    expect(log.lines).toEqual([])
  })

  it('ends at most 8 at a time, those that have been idle for longest', async () => {
    const reaper = await idleOne()
    const oldest: number[] = []
    for (let index = 0; index < 8; index += 1) oldest.push(await pidOf(await idleOne()))
    await sleep(200)
    const younger = [await pidOf(await idleOne()), await pidOf(await idleOne())]
    expect(await reapAfter(reaper, LONG_IDLE_MS)).toBe(8)
    await eventually('they are gone', async () => (await pids()).length === 3)
    expect(await pids()).toEqual(expect.arrayContaining(younger))
    expect(await reaper.leasehold.reap()).toBe(2)
  })

  it('never ends what is foreign, in use, in a transaction, too young, or in no pool', async () => {
    const reaper = await idleOne()
    const other = await under.server.createLogin()
    const spared = {
      'no label': await pidOf(await bare()),
      'a label of its own making': await pidOf(await bare({ application_name: 'lh:leasehold:0:abc:x' })),
      'a broken label': await pidOf(await bare({ application_name: 'lh:leasehold:0:abc.x.y:x' })),
      'another login': await pidOf(await idleOne(other)),
      'another fleet': await pidOf(await idleOne({ fleet: 'leasehold-2' })),
      'a fleet whose name it begins with': await pidOf(await idleOne({ fleet: 'leasehol' })),
      'an owner who asks late': await pidOf(await idleOne({ pingAfterIdleMs: 60_000 })),
      'no lease of the server’s': await pidOf(await idleOne({ lease: 'client' })),
      'held by the application': await pidOf(await open().connect()),
    }
    const inTransaction = await open().connect()
    await inTransaction.query('begin')
    const failed = await open().connect()
    await failed.query('begin')
    await rejection(failed.query('select 1/0'))
    const busy = open()
    const working = busy.query('select pg_sleep(4)')
    const standalone = new Client({ ...under.target, logger: log })
    await standalone.connect()
    const alone = await pidOf(standalone)
    await sleep(LONG_IDLE_MS)
    const young = await pidOf(await idleOne())
    expect(await reaper.leasehold.reap()).toBe(0)
    const left = await pids()
    expect(left).toEqual(expect.arrayContaining([...Object.values(spared), alone, young]))
    expect(left).toHaveLength(Object.keys(spared).length + 6)
    await working
    await inTransaction.query('commit')
    await standalone.end()
    expect(log.lines).toEqual([])
  })

  it('is done by one environment at a time', async () => {
    const reaper = await idleOne()
    await idleOne()
    const another = await bare()
    await another.query(`select pg_advisory_lock(${LOCK})`)
    expect(await reapAfter(reaper, LONG_IDLE_MS)).toBe(0)
    await another.query(`select pg_advisory_unlock(${LOCK})`)
    expect(await reaper.leasehold.reap()).toBe(1)
  })

  it('leaves no lock behind', async () => {
    const reaper = await idleOne()
    await reaper.leasehold.reap()
    const another = await bare()
    const { rows } = await another.query(`select pg_try_advisory_lock(${LOCK}) as free`)
    expect(rows).toEqual([{ free: true }])
  })

  describe('in one statement', () => {
    const ask = { fleet: 'leasehold', terms: recallTerms(1_000, undefined), mostCount: 8, goOn: () => true }
    const statement = (abovePressure: number, limit: LimitOf = 'server'): string => {
      const step = postgresDialect.recall?.({ ...ask, limit, abovePressure }).next()
      return step?.done === false ? step.value : ''
    }
    const endedBy = async (asker: pg.Client, text: string): Promise<unknown> =>
      (await asker.query<{ ended: number }>(text)).rows[0]?.ended

    it('looks again at what was idle when it was decided: a session that works is left alone', async () => {
      const asker = await bare()
      const victim = await idleOne()
      await sleep(LONG_IDLE_MS)
      const decided = statement(0)
      const working = victim.query('select pg_sleep(0.5)')
      await eventually('it works', async () => (await under.server.sessions()).some(({ idle }) => !idle))
      expect(await endedBy(asker, decided)).toBe(0)
      await working
      expect(victim.leasehold.stats()).toMatchObject({ opened: 1, lost: 0 })
    })

    it('ends no more than what is above the target as the server counts in that moment', async () => {
      const asker = await bare()
      for (let index = 0; index < 6; index += 1) await idleOne()
      await sleep(LONG_IDLE_MS)
      // 7 of 27 slots are used.
      expect(await endedBy(asker, statement(7.5 / 27))).toBe(0)
      expect(await endedBy(asker, statement(5.5 / 27))).toBe(2)
    })

    it("makes room under the role's own limit, by the count of its sessions on all databases", async () => {
      const limited = await under.server.createLogin({ maxConnections: 6 })
      const asker = await bare(limited)
      // Not to leave by themselves, near a limit and where hardly any session does anything.
      const patient = { ...limited, targetPressure: 1 }
      for (let index = 0; index < 3; index += 1) await idleOne(patient)
      await idleOne({ ...patient, database: 'postgres' })
      for (let index = 0; index < 3; index += 1) await idleOne()
      await sleep(LONG_IDLE_MS)
      expect(await endedBy(asker, statement(0.8))).toBe(0)
      expect(await endedBy(asker, statement(0.9, 'login'))).toBe(0)
      expect(await endedBy(asker, statement(0.5, 'login'))).toBe(2)
    })

    it("makes room under the database's limit, where sessions on another one are in nobody's way", async () => {
      const asker = await bare()
      const elsewhere = [await pidOf(await idleOne({ database: 'postgres' }))]
      elsewhere.push(await pidOf(await idleOne({ database: 'postgres' })))
      for (let index = 0; index < 3; index += 1) await idleOne()
      await sleep(LONG_IDLE_MS)
      // Without such a limit there is nothing to make room under.
      expect(await endedBy(asker, statement(0, 'database'))).toBe(0)
      await under.server.admin(`alter database ${under.target.database} connection limit 5`)
      try {
        expect(await endedBy(asker, statement(0.8, 'database'))).toBe(0)
        expect(await endedBy(asker, statement(0.4, 'database'))).toBe(2)
      } finally {
        await under.server.admin(`alter database ${under.target.database} connection limit -1`)
      }
      await eventually('they are gone', async () => (await pids()).length === 4)
      expect(await pids()).toEqual(expect.arrayContaining(elsewhere))
    })

    it("takes replication, which has places of its own, for nobody's slot", async () => {
      const reader = await under.server.createLogin()
      await under.server.admin(`alter role ${reader.user} replication`)
      const replication = { ...reader, replication: 'database' } as pg.ClientConfig
      for (let index = 0; index < 2; index += 1) await bare(replication)
      const asker = await bare()
      await idleOne()
      await sleep(LONG_IDLE_MS)
      // 2 of 27 slots are used.
      expect(await endedBy(asker, statement(2.5 / 27))).toBe(0)
      expect(await endedBy(asker, statement(1.5 / 27))).toBe(1)
    })
  })

  it("makes room under a role's limit by itself, though the server is nearly empty", async () => {
    const limited = await under.server.createLogin({ maxConnections: 6 })
    for (let index = 0; index < 4; index += 1) await idleOne(limited)
    await sleep(LONG_IDLE_MS)
    const newcomers = [open({ ...limited, reap: true }), open({ ...limited, reap: true })]
    await eventually('room is made', async () => {
      await Promise.all(newcomers.map((pool) => pool.query('select 1')))
      return newcomers.some((pool) => pool.leasehold.stats().reaped > 0)
    })
  })

  it("calls the server's own functions and tables, whatever lies before them in the search path", async () => {
    const names = 'leasehold_shadow'
    const trap = `returns text language plpgsql as $$ begin raise exception 'trapped'; end $$`
    await under.server.admin(`create schema ${names}`)
    await under.server.admin(`grant all on schema ${names} to public`)
    for (const [called, inputs] of [
      ['starts_with', 'text, text'],
      ['starts_with', 'text, unknown'],
      ['hashtext', 'text'],
      ['current_setting', 'text'],
      ['current_setting', 'text, boolean'],
      ['set_config', 'text, text, boolean'],
      ['pg_try_advisory_xact_lock', 'int, int'],
      ['pg_backend_pid', ''],
      ['clock_timestamp', ''],
      ['pg_stat_get_wal_senders', ''],
      ['floor', 'numeric'],
      ['current_database', ''],
    ] as const) {
      const inputTypes = inputs.replaceAll('unknown', 'varchar')
      await under.server.admin(`create or replace function ${names}.${called}(${inputTypes}) ${trap}`)
    }
    const isFirst = { options: `-c search_path=${names},pg_catalog` }
    try {
      const reaper = await idleOne({ ...isFirst, reap: true })
      await reaper.query('create temp table pg_stat_activity (pid int)')
      await reaper.query('create temp table pg_roles (oid int)')
      await idleOne()
      expect(await reapAfter(reaper, LONG_IDLE_MS)).toBe(1)
      // A session that is ended is counted until it has gone.
      await eventually('a census of the one that is left', async () => {
        const view = await reaper.leasehold.census()
        return view?.limit === 'server' && view.usedCount === 1
      })
      expect(reaper.leasehold.stats()).toMatchObject({ recallRefused: 0, censusRefused: 0, leaseRefused: 0 })
      expect(log.lines).toEqual([])
    } finally {
      await under.server.admin(`drop schema ${names} cascade`)
    }
  })

  it('that the server refuses is counted and said once, and costs no connection and no request', async () => {
    const reaper = await idleOne()
    await idleOne()
    await under.server.admin('revoke execute on function pg_terminate_backend(int, bigint) from public')
    try {
      expect(await reapAfter(reaper, LONG_IDLE_MS)).toBe(0)
      expect(await reaper.leasehold.reap()).toBe(0)
    } finally {
      await under.server.admin('grant execute on function pg_terminate_backend(int, bigint) to public')
    }
    expect(reaper.leasehold.stats()).toMatchObject({ recallRefused: 2, reaped: 0, lost: 0 })
    expect(log.lines).toEqual([expect.stringContaining('does not let sessions be recalled (42501)')])
    expect((await reaper.query('select 7 as n')).rows).toEqual([{ n: 7 }])
    expect(reaper.leasehold.stats().opened).toBe(1)
  })

  it('comes by itself when newcomers find the server full', async () => {
    const frozen = await Promise.all(Array.from({ length: 20 }, () => idleOne({ maxLeaseMs: 60_000 })))
    await sleep(LONG_IDLE_MS)
    const newcomers = Array.from({ length: 15 }, () => open({ reap: true }))
    const startMs = performance.now()
    for (let round = 0; round < 10; round += 1) {
      await Promise.all(newcomers.map((pool) => pool.query('select pg_sleep(0.02)')))
    }
    expect(performance.now() - startMs).toBeLessThan(5_000)
    const reaped = newcomers.reduce((sum, pool) => sum + pool.leasehold.stats().reaped, 0)
    expect(reaped).toBeGreaterThanOrEqual(5)
    for (const pool of frozen) await pool.query('select 1')
  })
})
