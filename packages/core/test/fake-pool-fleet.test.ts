import { describe, expect, it } from 'vitest'

import type { LeaseholdOptions } from '../src/options/options.ts'
import { start, sum } from './fake-pool-scene.ts'
import { rejectionOf } from './scene.ts'

describe('many environments on few slots', () => {
  it('all get their turn, and a slot is never taken twice', async () => {
    const { clock, server, environment } = start({ acquireTimeoutMs: 30_000 }, { slotCount: 4, connectMs: 4 })
    const answered: number[] = []
    const environments = Array.from({ length: 12 }, async (_, index) => {
      const pool = environment()
      await pool.query('sleep 20')
      answered.push(index)
    })
    await clock.advance(30_000)
    await Promise.all(environments)
    expect(answered).toHaveLength(12)
    expect(server.sessions.length).toBeLessThanOrEqual(4)
  })

  it('get the slots of environments that vanished, once the leases have run out', async () => {
    const { clock, server, environment } = start({}, { slotCount: 3 })
    for (let index = 0; index < 3; index += 1) await environment().query('select 1')
    for (const session of server.sessions) session.vanish()
    const answered = environment().query('select 2')
    await clock.advance(2_500)
    await answered
    expect(server.sessions).toHaveLength(1)
  })

  it('yield to each other after every response while they are seldom used', async () => {
    const { clock, server, environment } = start({ acquireTimeoutMs: 30_000 }, { slotCount: 2 })
    const pools = Array.from({ length: 6 }, () => environment())
    const yielded = (): number => sum(pools.map((pool) => pool.leasehold.stats().yielded))
    const round = async (): Promise<void> => {
      for (const pool of pools) {
        const answered = pool.query('select 1')
        await clock.advance(3_000)
        await answered
      }
    }
    await round()
    await round()
    const before = yielded()
    await round()
    // One may stay: with a slot free beside it, nobody has reason to yield.
    expect(yielded() - before).toBeGreaterThanOrEqual(5)
    expect(server.sessions.length).toBeLessThanOrEqual(1)
  })
})

describe('what an operator asks of a pool', () => {
  it('is a census', async () => {
    const { pool } = start()
    await pool.query('select 1')
    expect(await pool.leasehold.census()).toMatchObject({ usedCount: 1, slotCount: 10, fleetCount: 1 })
  })

  it('is a copy of its counts', async () => {
    const { pool } = start()
    const before = pool.leasehold.stats()
    await pool.query('select 1')
    expect(before.opened).toBe(0)
  })

  it('is to drain: idle connections go, the pool goes on', async () => {
    const { server, pool } = start({ max: 2 })
    const client = await pool.connect()
    await pool.query('select 1')
    pool.leasehold.drain()
    expect(server.sessions).toEqual([client.session])
    await pool.query('select 2')
    client.release()
  })
})

describe('the end of a pool', () => {
  it('closes what is idle now and what is in use when it comes back', async () => {
    const { server, pool } = start({ max: 2 })
    const client = await pool.connect()
    await pool.query('select 1')
    let ended = false
    const ending = pool.end().then(() => {
      ended = true
    })
    await Promise.resolve()
    expect(server.sessions).toEqual([client.session])
    expect(ended).toBe(false)
    client.release()
    await ending
    expect(server.sessions).toEqual([])
  })

  it('gives up what is being opened, and leaves no session and no timer behind', async () => {
    const { clock, server, pool } = start({ lease: 'off' }, { connectMs: 100 })
    const rejected = rejectionOf(pool.connect())
    await clock.advance(50)
    await pool.end()
    expect(await rejected).toMatchObject({ message: 'Cannot use a pool after calling end on the pool' })
    expect(server.sessions).toEqual([])
    expect(clock.pendingCount).toBe(0)
  })

  it('gives up a wait for a slot', async () => {
    const { clock, pool, environment } = start({}, { slotCount: 1 })
    await environment().connect()
    const rejected = rejectionOf(pool.connect())
    await clock.advance(100)
    await pool.end()
    expect(await rejected).toMatchObject({ message: 'Cannot use a pool after calling end on the pool' })
  })

  it('turns away those who wait and those who come, and a second end', async () => {
    const { pool } = start()
    const client = await pool.connect()
    const rejected = rejectionOf(pool.connect())
    const ending = pool.end()
    expect(await rejected).toMatchObject({ message: /after calling end/ })
    await expect(pool.connect()).rejects.toThrow('after calling end')
    await expect(pool.end()).rejects.toThrow('more than once')
    client.release()
    await ending
  })

  it('is at once where nothing was ever opened', async () => {
    await start().pool.end()
  })

  it('lets a connection that is being verified go, too', async () => {
    const options: LeaseholdOptions = { pingAfterIdleMs: 0 }
    const { clock, server, pool } = start(options, { roundTripMs: 10 })
    const first = pool.query('select 1')
    await clock.advance(40)
    await first
    await clock.advance(40)
    const rejected = rejectionOf(pool.connect())
    const ending = pool.end()
    await clock.advance(10)
    await ending
    expect(await rejected).toMatchObject({ message: /after calling end/ })
    expect(server.sessions).toEqual([])
  })
})
