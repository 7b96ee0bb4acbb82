// Recalls on real servers: whose sessions are ended, whose never, and what their owners notice.
import { setTimeout as sleep } from 'node:timers/promises'

import { type GovernedPool, govern, type PoolOptions } from '@leasehold/mysql-adapter'
import mysql2 from 'mysql2'
import promised from 'mysql2/promise'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { eventually } from '../eventually.ts'
import { type QuietLog, quietLog } from '../quiet-log.ts'
import { endAll, onEveryServer } from './server.ts'

const driver = govern(mysql2)

/** Longer than any owner goes without asking whether its session is still there, in whole seconds twice cut. */
const LONG_IDLE_MS = 3_200
/** The lock of whoever recalls the fleet's sessions. */
const LOCK = `'lh:leasehold:recall'`

await onEveryServer((under) => {
  const pools: mysql2.Pool[] = []
  const bares: promised.Connection[] = []
  let log: QuietLog
  const open = (options: PoolOptions = {}): GovernedPool => {
    const pool = driver.createPool({
      ...under.target,
      connectionLimit: 1,
      logger: log,
      minLeaseMs: 60_000,
      reap: false,
      ...options,
    })
    pools.push(pool)
    return pool
  }
  const idleOne = async (options: PoolOptions = {}, remainingMs?: number): Promise<GovernedPool> => {
    const pool = open(options)
    if (remainingMs !== undefined) {
      pool.leasehold.enter({ awsRequestId: '1', getRemainingTimeInMillis: () => remainingMs })
    }
    await pool.promise().query('select 1')
    return pool
  }
  const bare = async (options: mysql2.ConnectionOptions = {}): Promise<promised.Connection> => {
    const connection = await promised.createConnection({ ...under.target, ...options })
    connection.on('error', () => {})
    bares.push(connection)
    return connection
  }
  const idOf = async (asked: { query: promised.Connection['query'] }): Promise<number> =>
    Number(((await asked.query('select connection_id() as id'))[0] as { id: number }[])[0]?.id)
  const ids = async (): Promise<number[]> => (await under.server.sessions()).map(({ id }) => id)
  const grant = (how: 'grant' | 'revoke'): Promise<unknown> =>
    under.server.admin(`${how} process on *.* ${how === 'grant' ? 'to' : 'from'} '${under.target.user}'@'%'`)

  beforeEach(() => {
    log = quietLog()
  })
  afterEach(() => {
    endAll(pools)
    for (const connection of bares.splice(0)) connection.destroy()
  })

  describe('a recall by a login that may see transactions', () => {
    beforeEach(() => grant('grant'))
    afterEach(() => grant('revoke'))

    it('ends idle sessions; their next requests just work, and nobody is told', async () => {
      const reaper = await idleOne()
      const victims = [await idleOne(), await idleOne()]
      await sleep(LONG_IDLE_MS)
      expect(await reaper.leasehold.reap()).toBe(2)
      await eventually('their sessions are gone', async () => (await ids()).length === 1)
      for (const victim of victims) {
        expect((await victim.promise().query('select 7 as n'))[0]).toEqual([{ n: 7 }])
        const { opened, lost, lapsed, gaveUp } = victim.leasehold.stats()
        expect({ opened, missed: lost + lapsed, gaveUp }).toEqual({ opened: 2, missed: 1, gaveUp: 0 })
      }
      expect(reaper.leasehold.stats()).toMatchObject({ reaped: 2, recallRefused: 0 })
      expect(log.lines).toEqual([])
    })

    it('ends at most 8 at a time, those that have been idle for longest', async () => {
      // The server is nearly full, and hardly any session does anything: not to leave by themselves for that.
      const patient = { targetPressure: 1 }
      const reaper = await idleOne(patient)
      for (let index = 0; index < 8; index += 1) await idleOne(patient)
      await sleep(1_100)
      const younger = [
        await idOf((await idleOne(patient)).promise()),
        await idOf((await idleOne(patient)).promise()),
      ]
      await sleep(LONG_IDLE_MS)
      expect(await reaper.leasehold.reap()).toBe(8)
      await eventually('they are gone', async () => (await ids()).length === 3)
      expect(await ids()).toEqual(expect.arrayContaining(younger))
      expect(await reaper.leasehold.reap()).toBe(2)
    })

    it('never ends what is foreign, in use, in a transaction, too young, or in no pool', async () => {
      await under.server.admin(`create table if not exists ${under.target.database}.recalled (id int)`)
      const reaper = await idleOne()
      const other = await under.server.createLogin()
      const spared = {
        'no mark': await idOf(await bare()),
        'a label of its own making': await idOf(
          await bare({ connectAttributes: { leasehold: 'lh:leasehold:0:abc.15.3:x' } }),
        ),
        'another login': await idOf((await idleOne(other)).promise()),
        'another fleet': await idOf((await idleOne({ fleet: 'Leasehold' })).promise()),
        'an owner who asks late': await idOf((await idleOne({ pingAfterIdleMs: 60_000 })).promise()),
        'held by the application': await idOf(await open().promise().getConnection()),
        'in no pool': await idOf(driver.createConnection({ ...under.target, logger: log }).promise()),
      }
      const inTransaction = await open().promise().getConnection()
      await inTransaction.beginTransaction()
      await inTransaction.query('insert into recalled values (1)')
      const working = open().promise().query('select sleep(5)')
      await sleep(LONG_IDLE_MS)
      const young = await idOf((await idleOne()).promise())
      expect(await reaper.leasehold.reap()).toBe(0)
      const left = await ids()
      expect(left).toEqual(expect.arrayContaining([...Object.values(spared), young]))
      expect(left).toHaveLength(Object.keys(spared).length + 4)
      await working
      await inTransaction.commit()
      expect(log.lines).toEqual([])
    })

    it('is done by one environment at a time', async () => {
      const reaper = await idleOne()
      await idleOne()
      const another = await bare()
      await another.query(`select get_lock(${LOCK}, 0)`)
      await sleep(LONG_IDLE_MS)
      expect(await reaper.leasehold.reap()).toBe(0)
      await another.query(`select release_lock(${LOCK})`)
      expect(await reaper.leasehold.reap()).toBe(1)
      const [rows] = await another.query(`select is_free_lock(${LOCK}) as free`)
      expect(rows).toEqual([{ free: 1 }])
    })

    it('spares a session whose clock the application has set', async () => {
      const reaper = await idleOne()
      const frozenClock = await idleOne()
      await frozenClock.promise().query('set timestamp = 1000000000')
      await sleep(100)
      expect(await reaper.leasehold.reap()).toBe(0)
    })

    it("makes room under the login's own limit, though the server is nearly empty", async () => {
      const limited = await under.server.createLogin({ maxConnections: 6 })
      await under.server.admin(`grant process on *.* to '${limited.user}'@'%'`)
      const idle = [
        await idleOne(limited),
        await idleOne(limited),
        await idleOne(limited),
        await idleOne(limited),
      ]
      await sleep(LONG_IDLE_MS)
      const newcomers = [open({ ...limited, reap: true }), open({ ...limited, reap: true })]
      await eventually('room is made', async () => {
        await Promise.all(newcomers.map((pool) => pool.promise().query('select 1')))
        return newcomers.some((pool) => pool.leasehold.stats().reaped > 0)
      })
      // No more than it takes: the newcomers themselves may yield meanwhile, so it is not the sessions that are counted.
      const reaped = newcomers.reduce((sum, pool) => sum + pool.leasehold.stats().reaped, 0)
      expect(reaped).toBeLessThan(idle.length)
      for (const pool of idle) await pool.promise().query('select 1')
    })

    it('knows a login whose name holds an @', async () => {
      await under.server.admin(`create user 'app@shop'@'%' identified by 'secret'`)
      await under.server.admin(`grant all on ${under.target.database}.* to 'app@shop'@'%'`)
      await under.server.admin(`grant process on *.* to 'app@shop'@'%'`)
      const login = { user: 'app@shop', password: 'secret' }
      try {
        const reaper = await idleOne(login)
        await idleOne(login)
        await sleep(LONG_IDLE_MS)
        expect(await reaper.leasehold.reap()).toBe(1)
      } finally {
        await under.server.admin(`drop user 'app@shop'@'%'`)
      }
    })

    /** A session with the mark of a pool's, which nobody keeps alive. */
    const marked = async (): Promise<promised.Connection> => {
      const connection = await bare()
      await connection.query(`do get_lock(concat('lh:leasehold:15:900:', connection_id()), 0)`)
      return connection
    }

    it('spares a transaction though the server is asked for them so often that it shows old ones', async () => {
      await under.server.admin(`create table if not exists ${under.target.database}.recalled (id int)`)
      const reaper = await idleOne()
      const watcher = await bare()
      let isOver = false
      const watching = (async () => {
        while (!isOver) {
          await watcher.query('select count(*) from information_schema.innodb_trx')
          await sleep(20)
        }
      })()
      await sleep(200)
      const inTransaction = await marked()
      await inTransaction.beginTransaction()
      await inTransaction.query('insert into recalled values (1)')
      await sleep(LONG_IDLE_MS)
      expect(await reaper.leasehold.reap()).toBe(0)
      isOver = true
      await watching
      await sleep(150)
      expect(await reaper.leasehold.reap()).toBe(0)
      await inTransaction.commit()
      await sleep(LONG_IDLE_MS)
      expect(await reaper.leasehold.reap()).toBe(1)
      expect(reaper.leasehold.stats()).toMatchObject({ recallRefused: 0 })
    })

    it.each([
      'set autocommit = 0',
      'set session transaction isolation level read committed',
      'set session transaction read only',
      `set session sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,ONLY_FULL_GROUP_BY'`,
      `set session time_zone = '-11:00'`,
      'set session completion_type = CHAIN',
      'set names latin1',
      'set timestamp = 1000000000',
    ])('leaves the session of whoever recalls as it was: %s', async (setting) => {
      const reaper = await idleOne()
      const connection = reaper.promise()
      const id = await idOf(connection)
      await connection.query('create table if not exists counted (id int auto_increment primary key)')
      await connection.query('insert into counted values ()')
      await connection.query(setting)
      if (setting.includes('autocommit')) await connection.query('commit')
      const isolation = under.server.engine === 'mariadb' ? 'tx_isolation' : 'transaction_isolation'
      const state = async (): Promise<unknown> =>
        (
          await connection.query(
            `select last_insert_id() as last, @@autocommit as commits, @@${isolation} as isolation, ` +
              '@@sql_mode as mode, @@time_zone as zone, @@completion_type as chain, @@character_set_client as charset',
          )
        )[0]
      const before = await state()
      if (setting.includes('autocommit')) await connection.query('commit')
      await idleOne()
      await sleep(LONG_IDLE_MS)
      // Without a transaction of its own, MySQL's reaper does not see others'.
      const isBlind = setting.includes('autocommit') && under.server.engine === 'mysql'
      expect(await reaper.leasehold.reap()).toBe(isBlind ? 0 : 1)
      // The server shows an old list to whoever asks again at once.
      await sleep(200)
      const [begun] = await (
        await bare()
      ).query(
        'select trx_state, trx_started from information_schema.innodb_trx where trx_mysql_thread_id = ?',
        [id],
      )
      expect(begun).toEqual([])
      expect(await state()).toEqual(before)
      expect(reaper.leasehold.stats()).toMatchObject({ recallRefused: 0, opened: 1 })
    })

    it('comes by itself when newcomers find the server full', async () => {
      const frozen = await Promise.all(Array.from({ length: 8 }, () => idleOne()))
      await sleep(LONG_IDLE_MS)
      const newcomers = Array.from({ length: 6 }, () => open({ reap: true, minLeaseMs: 2_000 }))
      for (let round = 0; round < 10; round += 1) {
        await Promise.all(newcomers.map((pool) => pool.promise().query('select sleep(0.02)')))
      }
      const reaped = newcomers.reduce((sum, pool) => sum + pool.leasehold.stats().reaped, 0)
      expect(reaped).toBeGreaterThanOrEqual(2)
      for (const pool of newcomers) pool.end(() => {})
      for (const pool of frozen) await pool.promise().query('select 1')
    })
  })

  describe('a recall by a login that may not see transactions', () => {
    it('leaves no lock behind, though the server refuses to show them', async () => {
      const reaper = await idleOne()
      await idleOne()
      await sleep(LONG_IDLE_MS)
      for (let count = 0; count < 2; count += 1) {
        expect(await reaper.leasehold.reap()).toBe(0)
        expect((await (await bare()).query(`select is_free_lock(${LOCK}) as free`))[0]).toEqual([{ free: 1 }])
      }
      expect(reaper.leasehold.stats()).toMatchObject({ recallRefused: 0, opened: 1 })
    })

    it('ends what has been idle for longer than an invocation of its function lasts, and nothing else', async () => {
      const reaper = await idleOne()
      const short = await idOf((await idleOne({}, 2_000)).promise())
      const unknown = await idOf((await idleOne()).promise())
      await sleep(LONG_IDLE_MS - 1_000)
      expect(await reaper.leasehold.reap()).toBe(0)
      await sleep(3_000)
      expect(await reaper.leasehold.reap()).toBe(1)
      await eventually('it is gone', async () => !(await ids()).includes(short))
      expect(await ids()).toContain(unknown)
      expect(reaper.leasehold.stats()).toMatchObject({ reaped: 1, recallRefused: 0 })
      expect(log.lines).toEqual([])
    })
  })
})
