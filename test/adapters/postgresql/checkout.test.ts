// Taking a client and giving it back: order, arguments and counts are those of the bare pool.
import { createPool, type GovernedPool, LeaseholdError } from '@leasehold/pg-adapter'
import pg from 'pg'
import { afterEach, describe, expect, it } from 'vitest'

import { eventually, rejection } from '../eventually.ts'
import { endAll, postgresUnderTest } from './server.ts'

type Counts = readonly [total: number, idle: number, waiting: number]

function counts(pool: pg.Pool): Counts {
  return [pool.totalCount, pool.idleCount, pool.waitingCount]
}

describe('checkout and checkin', () => {
  const under = postgresUnderTest()
  const pools: pg.Pool[] = []
  const keep = <P extends pg.Pool>(pool: P): P => {
    pools.push(pool)
    return pool
  }
  const open = (options: Parameters<typeof createPool>[0] = {}): GovernedPool =>
    keep(createPool({ ...under.target, ...options }))
  afterEach(() => endAll(pools))

  it('takes its place in the pool at the call, not a tick later', async () => {
    const governed = open({ max: 1 })
    const bare = keep(new pg.Pool({ ...under.target, max: 1 }))
    const seen: Counts[][] = []
    for (const pool of [governed, bare]) {
      const steps: Counts[] = []
      const first = pool.connect()
      steps.push(counts(pool))
      const second = pool.connect()
      steps.push(counts(pool))
      ;(await first).release()
      steps.push(counts(pool))
      ;(await second).release()
      steps.push(counts(pool))
      seen.push(steps)
    }
    expect(seen[0]).toEqual(seen[1])
  })

  it('serves waiting requests in the order they came', async () => {
    const pool = open({ max: 1 })
    const order: number[] = []
    await Promise.all(
      [1, 2, 3, 4].map(async (turn) => {
        const client = await pool.connect()
        order.push(turn)
        client.release()
      }),
    )
    expect(order).toEqual([1, 2, 3, 4])
  })

  it('passes undefined as the error of a success, for a new client and for a used one', async () => {
    const pool = open({ max: 1 })
    for (let turn = 0; turn < 2; turn += 1) {
      const given = await new Promise<unknown[]>((resolve) => {
        pool.connect((...args) => {
          args[2]()
          resolve(args)
        })
      })
      expect(given).toHaveLength(3)
      expect(given[0]).toBeUndefined()
    }
  })

  it('passes the same release to the callback as the client has', async () => {
    const pool = open()
    await new Promise<void>((resolve) => {
      pool.connect((_error, client, release) => {
        expect((client as pg.PoolClient).release).toBe(release)
        release()
        resolve()
      })
    })
  })

  it('passes no client and a release that does nothing when it fails', async () => {
    const pool = open({ password: 'wrong' })
    const [error, client, release] = await new Promise<[unknown, unknown, () => void]>((resolve) => {
      pool.connect((...args) => resolve(args as never))
    })
    expect(error).toMatchObject({ code: '28P01' })
    expect(client).toBeUndefined()
    release()
    expect(counts(pool)).toEqual([0, 0, 0])
  })

  it('throws when a client is released twice, as the driver does', async () => {
    const client = await open().connect()
    client.release()
    expect(() => client.release()).toThrow('already been released')
  })

  it('closes a client that is released with an error', async () => {
    const pool = open()
    const client = await pool.connect()
    client.release(new Error('bad'))
    expect(pool.totalCount).toBe(0)
    await eventually('it is closed', async () => (await under.server.sessions()).length === 0)
  })

  it('keeps a client that is released with false', async () => {
    const pool = open()
    ;(await pool.connect()).release(false)
    expect(counts(pool)).toEqual([1, 1, 0])
  })

  it('closes a read-only client although it is released with false', async () => {
    const pool = open()
    const client = await pool.connect()
    await client.query('set default_transaction_read_only = on')
    await rejection(client.query('create table no_such_place (id int)'))
    client.release(false)
    expect(pool.totalCount).toBe(0)
  })

  it('lets a request that waited too long wait no longer', async () => {
    const pool = open({ max: 1, acquireTimeoutMs: 50 })
    const holder = await pool.connect()
    const error = await rejection(pool.connect())
    expect(LeaseholdError.is(error) && error.code).toBe('ACQUIRE_TIMEOUT')
    expect(pool.waitingCount).toBe(0)
    holder.release()
    expect(counts(pool)).toEqual([1, 1, 0])
  })

  it('makes no connection in the name of a request that waited too long', async () => {
    const pool = open({ max: 1, acquireTimeoutMs: 50 })
    const holder = await pool.connect()
    await rejection(pool.connect())
    holder.release(true)
    await eventually('it is closed', async () => (await under.server.sessions()).length === 0)
    expect(pool.leasehold.stats().attempts).toBe(1)
  })

  it('refuses a request after end, as the driver does', async () => {
    const pool = open()
    await pool.end()
    expect((await rejection(pool.connect())).message).toContain('after calling end')
    expect((await rejection(pool.end())).message).toContain('more than once')
  })
})
