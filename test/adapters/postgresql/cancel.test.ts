// Statements that are stopped: on the server too, and no other statement with them.
import { failureDetails, type GovernedPool, LeaseholdError, type PoolOptions } from '@leasehold/pg-adapter'
import type pg from 'pg'
import { afterEach, describe, expect, it } from 'vitest'

import { eventually, rejection } from '../eventually.ts'
import { DRIVERS } from './drivers.ts'
import { endAll, freeze, postgresUnderTest } from './server.ts'

const LONG = 'select pg_sleep(30)'

describe.each(DRIVERS)('stopping a statement, with %s', (_name, { Pool, Client }) => {
  const under = postgresUnderTest()
  const pools: pg.Pool[] = []
  const open = (options: PoolOptions = {}): GovernedPool => {
    const pool = new Pool({ ...under.target, max: 1, ...options })
    pools.push(pool)
    return pool
  }
  const running = async (): Promise<number> =>
    (await under.server.sessions()).filter(({ idle }) => !idle).length
  const isRunning = (): Promise<void> => eventually('it runs', async () => (await running()) === 1)
  afterEach(() => endAll(pools))

  it('at its own limit rejects with QUERY_TIMEOUT and stops it on the server', async () => {
    const pool = open()
    const error = await rejection(pool.query({ text: LONG, queryTimeoutMs: 200 }))
    expect(error).toMatchObject({ code: 'QUERY_TIMEOUT', cause: { code: '57014' } })
    expect(failureDetails(error)).toMatchObject({ statementMayHaveRun: false })
    expect(await running()).toBe(0)
    expect(pool.leasehold.stats().cancelled).toBe(1)
  })

  it("at the pool's limit does the same, in callback style too", async () => {
    const pool = open({ queryTimeoutMs: 200 })
    const [error] = await new Promise<unknown[]>((resolve) => {
      pool.query(LONG, (...args) => resolve(args))
    })
    expect(error).toMatchObject({ code: 'QUERY_TIMEOUT' })
    expect(await running()).toBe(0)
  })

  it("leaves one alone that has no limit where the pool's is shorter", async () => {
    const pool = open({ queryTimeoutMs: 50 })
    const answer = await pool.query({ text: 'select 7 as n from pg_sleep(0.3)', queryTimeoutMs: 0 })
    expect(answer.rows).toEqual([{ n: 7 }])
  })

  it('leaves the config as it was, to be used again', async () => {
    const client = new Client({ ...under.target })
    await client.connect()
    const config = { text: 'select $1::int as n', values: [7], queryTimeoutMs: 1_000 }
    for (let turn = 0; turn < 2; turn += 1) expect((await client.query(config)).rows).toEqual([{ n: 7 }])
    expect(Object.keys(config)).toEqual(['text', 'values', 'queryTimeoutMs'])
    await client.end()
  })

  it('by its signal rejects with the reason and stops it on the server', async () => {
    const stop = new AbortController()
    const asked = rejection(open().query({ text: LONG, signal: stop.signal }))
    await isRunning()
    const reason = new Error('no longer wanted')
    stop.abort(reason)
    expect(await asked).toBe(reason)
    expect(await running()).toBe(0)
  })

  it('by a signal that has already aborted sends nothing', async () => {
    const pool = open()
    await rejection(pool.query({ text: LONG, signal: AbortSignal.abort() }))
    expect(pool.leasehold.stats().attempts).toBe(0)
  })

  it('by its signal ends the wait for a busy pool, whose connection goes to the next', async () => {
    const pool = open()
    const client = await pool.connect()
    const stop = new AbortController()
    const asked = rejection(pool.query({ text: LONG, signal: stop.signal }))
    stop.abort(new Error('no longer wanted'))
    expect((await asked).message).toBe('no longer wanted')
    client.release()
    expect((await pool.query('select 7 as n')).rows).toEqual([{ n: 7 }])
    expect(pool.leasehold.stats().opened).toBe(1)
  })

  it('leaves the client of the application sound', async () => {
    const pool = open()
    const client = await pool.connect()
    const before = client.listenerCount('error')
    for (let turn = 0; turn < 3; turn += 1) {
      const error = await rejection(client.query({ text: LONG, queryTimeoutMs: 50 }))
      expect(error).toMatchObject({ code: 'QUERY_TIMEOUT' })
      expect((await client.query('select 7 as n')).rows).toEqual([{ n: 7 }])
    }
    expect(client.listenerCount('error')).toBe(before)
    client.release()
    expect(pool.leasehold.stats().opened).toBe(1)
  })

  it('never stops the one behind it, however close to its end it is stopped', async () => {
    const client = new Client({ ...under.target })
    await client.connect()
    let stopped = 0
    for (let turn = 0; turn < 60; turn += 1) {
      const first = client
        .query({ text: 'select pg_sleep(0.02)', queryTimeoutMs: 15 + (turn % 10) })
        .catch((error: unknown) => {
          expect(error).toMatchObject({ code: 'QUERY_TIMEOUT' })
          stopped += 1
        })
      const second = client.query('select 7 as n from pg_sleep(0.01)')
      expect((await second).rows).toEqual([{ n: 7 }])
      await first
    }
    expect(stopped).toBeGreaterThan(0)
    await client.end()
  })

  it('takes one that waits behind another out of the queue', async () => {
    const client = new Client({ ...under.target })
    await client.connect()
    const first = client.query('select 7 as n from pg_sleep(0.4)')
    const error = await rejection(client.query({ text: LONG, queryTimeoutMs: 100 }))
    expect(error).toMatchObject({ code: 'QUERY_TIMEOUT' })
    expect((await first).rows).toEqual([{ n: 7 }])
    expect((await client.query('select 8 as n')).rows).toEqual([{ n: 8 }])
    await client.end()
  })

  it('before the end of the invocation, where that is known', async () => {
    const pool = open()
    const startMs = performance.now()
    pool.leasehold.enter({ awsRequestId: '1', getRemainingTimeInMillis: () => 1_000 })
    expect(await rejection(pool.query(LONG))).toMatchObject({ code: 'QUERY_TIMEOUT' })
    expect(performance.now() - startMs).toBeLessThan(1_000)
    expect(await running()).toBe(0)
  })

  it('lets an answer stand that came while the process was frozen beyond the limit', async () => {
    const pool = open()
    await pool.query('select 1')
    const asked = pool.query({ text: 'select 7 as n from pg_sleep(0.1)', queryTimeoutMs: 300 })
    await isRunning()
    freeze(600)
    expect((await asked).rows).toEqual([{ n: 7 }])
    expect(pool.leasehold.stats().cancelled).toBe(0)
  })

  it('refuses a limit that is none, before anything is opened', async () => {
    const pool = open()
    const error = await rejection(pool.query({ text: LONG, queryTimeoutMs: -1 }))
    expect(LeaseholdError.is(error) && error.code).toBe('INVALID_OPTIONS')
    expect(error.message).toContain('queryTimeoutMs')
    expect(pool.leasehold.stats().attempts).toBe(0)
  })
})
