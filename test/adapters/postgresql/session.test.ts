// What a new session is made to be before its first use: by the application's hook, and by our own settings.
import {
  createPool,
  failureDetails,
  govern,
  type GovernedPool,
  type PoolOptions,
} from '@leasehold/pg-adapter'
import { startPgbouncer } from '@leasehold/test-databases'
import pg from 'pg'
import { afterEach, describe, expect, it } from 'vitest'

import { eventually, rejection } from '../eventually.ts'
import { quietLog } from '../quiet-log.ts'
import { endAll, postgresUnderTest } from './server.ts'

describe('a new session', () => {
  const under = postgresUnderTest()
  const pools: pg.Pool[] = []
  const open = (options: PoolOptions = {}): GovernedPool => {
    const pool = createPool({ ...under.target, max: 1, ...options })
    pools.push(pool)
    return pool
  }
  const shown = async (pool: GovernedPool, name: string): Promise<string> =>
    String((await pool.query<Record<string, string>>(`show ${name}`)).rows[0]?.[name])
  const sessionCount = async (): Promise<number> => (await under.server.sessions(under.target.user)).length
  afterEach(() => endAll(pools))

  describe('with `onSession`', () => {
    it('is what the hook made it before its first use, and so is the one that replaces it', async () => {
      const given: unknown[] = []
      const pool = open({
        pingAfterIdleMs: 0,
        onSession: async (client: pg.Client) => {
          given.push(client)
          await client.query(`set time zone 'Asia/Tokyo'`)
        },
      })
      expect(await shown(pool, 'TimeZone')).toBe('Asia/Tokyo')
      for (const { id } of await under.server.sessions()) await under.server.terminate(id)
      expect(await shown(pool, 'TimeZone')).toBe('Asia/Tokyo')
      expect(given).toHaveLength(2)
      expect(given[0]).toBeInstanceOf(pg.Client)
    })

    it('is closed when the hook rejects, and the request gets its error', async () => {
      const pool = open({ onSession: (client: pg.Client) => client.query('selec 1') })
      expect(await rejection(pool.query('select 1'))).toMatchObject({ code: '42601' })
      expect(pool.totalCount).toBe(0)
      await eventually('no session is left', async () => (await sessionCount()) === 0)
    })

    it('is closed when the hook takes longer than a connect may', async () => {
      const hooks: Promise<unknown>[] = []
      const pool = open({
        connectTimeoutMs: 300,
        resumeBudgetMs: 0,
        onSession: (client: pg.Client) => {
          const hook = client.query('select pg_sleep(2)')
          hooks.push(rejection(hook))
          return hook
        },
      })
      const error = await rejection(pool.query('select 1'))
      expect(error).toMatchObject({ code: 'CONNECT_TIMEOUT' })
      expect(failureDetails(error)).toMatchObject({ attempts: 1 })
      await Promise.all(hooks)
      await eventually('no session is left', async () => (await sessionCount()) === 0)
    })

    it('is tried again on another when it is lost under the hook', async () => {
      let turn = 0
      const pool = open({
        onSession: async (client: pg.Client) => {
          turn += 1
          if (turn > 1) return
          await client.query('select pg_terminate_backend(pg_backend_pid())')
        },
      })
      expect((await pool.query('select 7 as n')).rows).toEqual([{ n: 7 }])
      expect(turn).toBe(2)
      expect(await sessionCount()).toBe(1)
    })

    it('takes what a client outside a pool was asked meanwhile after the hook', async () => {
      const { Client } = govern(pg)
      const client = new Client({
        ...under.target,
        onSession: (session: pg.Client) => session.query(`set time zone 'Asia/Tokyo'`),
      })
      const connecting = client.connect()
      const asked = client.query('show TimeZone')
      await connecting
      expect((await asked).rows).toEqual([{ TimeZone: 'Asia/Tokyo' }])
      expect((await client.query('select 7 as n')).rows).toEqual([{ n: 7 }])
      await client.end()
    })

    it("has its own client's hook outside a pool, and not that of another", async () => {
      const { Client } = govern(pg)
      for (const zone of ['Asia/Tokyo', 'Europe/Zurich']) {
        const onSession = (session: pg.Client): unknown => session.query(`set time zone '${zone}'`)
        const client = new Client({ ...under.target, onSession })
        await client.connect()
        expect((await client.query('show TimeZone')).rows).toEqual([{ TimeZone: zone }])
        await client.end()
      }
    })
  })

  describe('and `transactionIdleMs`', () => {
    const NAME = 'idle_in_transaction_session_timeout'

    it('has the default limit for an idle transaction, and its lease', async () => {
      const pool = open()
      expect(await shown(pool, NAME)).toBe('1min')
      expect(await shown(pool, 'idle_session_timeout')).not.toBe('0')
    })

    it('has the limit that the pool was given, which ends an idle transaction', async () => {
      const pool = open({ transactionIdleMs: 300 })
      const client = await pool.connect()
      await client.query('begin')
      await client.query(`create table never (id int)`)
      await eventually('the server ends it', async () => (await sessionCount()) === 0)
      await rejection(client.query('commit'))
      client.release()
      expect((await pool.query(`select to_regclass('never') as t`)).rows).toEqual([{ t: null }])
    })

    it("has the server's own when it is 0", async () => {
      expect(await shown(open({ transactionIdleMs: 0 }), NAME)).toBe('0')
    })

    it.each([
      ['an option', { [NAME]: 7_000 }, '7s'],
      ['an option of 0', { [NAME]: 0 }, '0'],
      ['`options`', { options: `-c ${NAME}=7000` }, '7s'],
    ])('has what the application set by %s', async (_how, options, expected) => {
      expect(await shown(open(options as PoolOptions), NAME)).toBe(expected)
    })

    it('has none where a pooler refuses settings at start-up', async () => {
      const pooler = await startPgbouncer(under.server)
      const pool = open({ host: pooler.host, port: pooler.port, logger: quietLog() })
      expect(await shown(pool, NAME)).toBe('0')
      await pooler.dispose()
    })
  })
})
