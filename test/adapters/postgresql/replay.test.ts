// A statement whose connection was lost: sent again only where that is safe, and the doubt told where it is not.
import { failureDetails, type GovernedPool, type PoolOptions } from '@leasehold/pg-adapter'
import { type Relay, startRelay } from '@leasehold/test-databases'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'

import { eventually, rejection } from '../eventually.ts'
import { DRIVERS } from './drivers.ts'
import { endAll, freeze, postgresUnderTest } from './server.ts'

const INSERT = `insert into notes values ('once')`
const UPSERT = `insert into notes values ('once') on conflict do nothing`

describe.each(DRIVERS)('a statement whose connection is lost, with %s', (_name, { Pool, Client, Query }) => {
  const under = postgresUnderTest()
  const pools: pg.Pool[] = []
  let relay: Relay

  const open = (options: PoolOptions = {}): GovernedPool => {
    // No second census: its reply could be the one that is lost.
    const pool = new Pool({ ...under.target, max: 1, censusEveryMs: 600_000, ...options })
    pools.push(pool)
    return pool
  }
  const openRelayed = (options: PoolOptions = {}): GovernedPool => open({ port: relay.port, ...options })
  const warm = async (pool: GovernedPool): Promise<void> => {
    await pool.query('select 1')
    await eventually('the first census', () => pool.leasehold.stats().censuses > 0)
  }
  const noteCount = async (): Promise<number> => {
    const rows = await under.server.admin('select count(*)::int as n from notes')
    return Number(rows[0]?.['n'])
  }

  beforeAll(async () => {
    relay = await startRelay(under.server)
    const client = new pg.Client({ ...under.target })
    await client.connect()
    await client.query('create table notes (text text primary key)')
    await client.end()
  })
  beforeEach(async () => {
    await under.server.admin('truncate notes')
  })
  afterEach(() => endAll(pools))
  afterAll(() => relay.close())

  describe('when the server did the work and the reply was lost', () => {
    it('is not sent again, and its error says that it may have run', async () => {
      const pool = openRelayed()
      await warm(pool)
      relay.dropReplies()
      const error = await rejection(pool.query(INSERT))
      expect(failureDetails(error)).toMatchObject({ kind: 'lost', statementMayHaveRun: true })
      expect(await noteCount()).toBe(1)
      expect(pool.leasehold.stats().replayed).toBe(0)
    })

    it('is sent again when it is idempotent', async () => {
      const pool = openRelayed()
      await warm(pool)
      relay.dropReplies()
      expect(await pool.query({ text: UPSERT, idempotent: true })).toMatchObject({ rowCount: 0 })
      expect(await noteCount()).toBe(1)
      expect(pool.leasehold.stats().replayed).toBe(1)
    })

    it('is sent again with its values, in callback style too', async () => {
      const pool = openRelayed()
      await warm(pool)
      relay.dropReplies()
      const given = await new Promise<unknown[]>((resolve) => {
        pool.query({ text: 'select $1::int as n', values: [7], idempotent: true }, (...args) => resolve(args))
      })
      expect(given).toMatchObject([undefined, { rows: [{ n: 7 }] }])
    })

    it('is sent again as it was given, whatever becomes of its objects meanwhile', async () => {
      const pool = openRelayed()
      await warm(pool)
      relay.dropReplies()
      const values = ['once']
      const statement = { text: `select $1::text as t`, values, idempotent: true }
      const asked = pool.query(statement)
      await new Promise(setImmediate)
      values[0] = 'twice'
      Object.assign(statement, {
        text: `insert into notes values ($1) returning text as t`,
        idempotent: false,
      })
      expect(await asked).toMatchObject({ rows: [{ t: 'once' }] })
      expect(pool.leasehold.stats().replayed).toBe(1)
      expect(await noteCount()).toBe(0)
    })

    it('is not sent again by a pool that has ended meanwhile, and the doubt is told', async () => {
      const pool = openRelayed()
      await warm(pool)
      relay.dropReplies()
      const asked = rejection(pool.query({ text: UPSERT, idempotent: true }))
      await new Promise(setImmediate)
      await pool.end()
      expect(failureDetails(await asked)).toMatchObject({ statementMayHaveRun: true })
      expect(await noteCount()).toBe(1)
    })

    it('calls back once, with the error, in callback style', async () => {
      const pool = openRelayed()
      await warm(pool)
      relay.dropReplies()
      const given: unknown[][] = []
      pool.query(INSERT, (...args) => given.push(args))
      await eventually('it calls back', () => given.length > 0)
      await pool.query('select 1')
      expect(given).toHaveLength(1)
      expect(failureDetails(given[0]?.[0])).toMatchObject({ statementMayHaveRun: true })
    })

    it("settles the application's own kind of promise", async () => {
      class OwnPromise<T> extends Promise<T> {}
      const pool = openRelayed({ Promise: OwnPromise as unknown as PromiseConstructor })
      await warm(pool)
      relay.dropReplies()
      const asked = pool.query({ text: 'select 1 as n', idempotent: true })
      expect(asked).toBeInstanceOf(OwnPromise)
      expect((await asked).rows).toEqual([{ n: 1 }])
    })

    it('is never sent again on a client that the application holds, idempotent or not', async () => {
      const pool = openRelayed()
      await warm(pool)
      const client = await pool.connect()
      relay.dropReplies()
      const error = await rejection(client.query({ text: INSERT, idempotent: true }))
      client.release(error)
      expect(failureDetails(error)).toMatchObject({ statementMayHaveRun: true })
      expect(await noteCount()).toBe(1)
    })

    it('is never sent again on a client outside a pool', async () => {
      const client = new Client({ ...under.target, port: relay.port })
      await client.connect()
      relay.dropReplies()
      const error = await rejection(client.query(INSERT))
      expect(failureDetails(error)).toMatchObject({ statementMayHaveRun: true })
      expect(await noteCount()).toBe(1)
    })
  })

  it('is sent again, and nobody hears of it, when the server had ended its idle session', async () => {
    const pool = open()
    await warm(pool)
    await pool.query(`set idle_session_timeout = '50ms'`)
    freeze(300)
    expect(await pool.query(INSERT)).toMatchObject({ rowCount: 1 })
    expect(await noteCount()).toBe(1)
    expect(pool.leasehold.stats()).toMatchObject({ replayed: 1, opened: 2 })
  })

  it('is not sent again when its session is killed while it runs', async () => {
    const pool = open()
    await warm(pool)
    const asked = rejection(pool.query('select pg_sleep(30)'))
    await eventually('it runs', async () => (await under.server.sessions()).some(({ idle }) => !idle))
    for (const { id } of await under.server.sessions()) await under.server.terminate(id)
    const error = await asked
    expect(error).toMatchObject({ code: '57P01' })
    expect(failureDetails(error)).toMatchObject({ statementMayHaveRun: true })
    expect(JSON.stringify(error)).not.toContain('statementMayHaveRun')
  })

  it('survives a restart of the server under it when it is idempotent', async () => {
    const pool = open()
    await warm(pool)
    const asked = pool.query({ text: 'select 7 as n from pg_sleep(1)', idempotent: true })
    await eventually('it runs', async () => (await under.server.sessions()).some(({ idle }) => !idle))
    await under.server.restart()
    expect((await asked).rows).toEqual([{ n: 7 }])
  })

  it('says of each of several that it may have run: one error stands for them all', async () => {
    const client = new Client({ ...under.target, port: relay.port })
    await client.connect()
    const asked = [client.query('select pg_sleep(30)'), client.query(INSERT), client.query(INSERT)]
    const errors = asked.map((work) => rejection(work))
    relay.reset()
    for (const error of await Promise.all(errors)) {
      expect(failureDetails(error)).toMatchObject({ statementMayHaveRun: true })
    }
  })

  it('did not run, and says so, when its client had already lost its connection', async () => {
    const client = new Client({ ...under.target, port: relay.port })
    await client.connect()
    const first = rejection(client.query('select pg_sleep(30)'))
    relay.reset()
    await first
    expect(failureDetails(await rejection(client.query(INSERT)))).toMatchObject({
      statementMayHaveRun: false,
    })
    const given = await new Promise<unknown[]>((resolve) => {
      client.query(INSERT, (...args) => resolve(args))
    })
    expect(failureDetails(given[0])).toMatchObject({ statementMayHaveRun: false })
  })

  it('gets no details when the server itself refused it', async () => {
    const error = await rejection(open().query({ text: 'selec 1', idempotent: true }))
    expect(error).toMatchObject({ code: '42601' })
    expect(failureDetails(error)).toBeUndefined()
  })

  it("has the caller in its error's stack", async () => {
    const askedFromHere = async (): Promise<unknown> => await open().query('selec 1')
    expect((await rejection(askedFromHere())).stack).toContain('askedFromHere')
  })

  it('is left to itself when it is a query object', async () => {
    const query = new Query('select 7 as n')
    const rows: unknown[] = []
    query.on('row', (row) => rows.push(row))
    const client = new Client({ ...under.target })
    await client.connect()
    expect(client.query(query)).toBe(query)
    await new Promise<void>((resolve) => query.on('end', () => resolve()))
    expect(rows).toEqual([{ n: 7 }])
    await client.end()
  })
})
