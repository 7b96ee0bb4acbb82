import { describe, expect, it } from 'vitest'

import { failureDetails, LeaseholdError } from '../src/errors.ts'
import { FakePool } from '../src/testing/fake-pool.ts'
import { FakeServer } from '../src/testing/fake-server.ts'
import { start } from './fake-pool-scene.ts'
import { rejectionOf } from './scene.ts'

describe('a governed pool', () => {
  it('opens nothing until a connection is wanted', async () => {
    const { clock, server, pool } = start()
    await clock.advance(10_000)
    expect(server.sessions).toEqual([])
    expect(pool.totalCount).toBe(0)
  })

  it('reuses its connection, the very same one', async () => {
    const { server, pool } = start()
    await pool.query('select 1')
    const client = await pool.connect()
    expect(client.session).toBe(server.sessions[0])
    client.release()
    expect(pool.leasehold.stats()).toMatchObject({ opened: 1, reused: 1 })
    expect(pool.idleCount).toBe(1)
  })

  it('takes its place synchronously, so that no more are opened than its size', async () => {
    const { server, pool } = start({ max: 2 }, {})
    const clients = [pool.connect(), pool.connect(), pool.connect()]
    expect([pool.totalCount, pool.waitingCount]).toEqual([2, 1])
    const [first] = await Promise.all(clients.slice(0, 2))
    first?.release()
    const third = await clients[2]
    expect(third?.session).toBe(first?.session)
    expect(server.sessions).toHaveLength(2)
  })

  it('serves those who wait in their order', async () => {
    const { pool } = start()
    const client = await pool.connect()
    const order: number[] = []
    const waiting = [1, 2, 3].map(async (place) => {
      const next = await pool.connect()
      order.push(place)
      next.release()
    })
    client.release()
    await Promise.all(waiting)
    expect(order).toEqual([1, 2, 3])
  })

  it('ends the wait of a request for a busy pool at its deadline', async () => {
    const { clock, pool } = start({ acquireTimeoutMs: 300 })
    const client = await pool.connect()
    const rejected = rejectionOf(pool.connect())
    await clock.advance(300)
    const error = await rejected
    expect(LeaseholdError.is(error) && error.code).toBe('ACQUIRE_TIMEOUT')
    expect(pool.waitingCount).toBe(0)
    client.release()
    await pool.query('select 1')
  })

  it('gives back what arrives after the deadline of the one who waited', async () => {
    const { clock, server, pool } = start({ acquireTimeoutMs: 300 }, { connectMs: 200 })
    const connecting = pool.connect()
    await clock.advance(200)
    const client = await connecting
    const rejected = rejectionOf(pool.connect())
    await clock.advance(200)
    client.release(true)
    await clock.advance(100)
    await rejected
    await clock.advance(100)
    expect(pool).toMatchObject({ totalCount: 1, idleCount: 1, waitingCount: 0 })
    expect(server.sessions).toHaveLength(1)
  })

  it('refuses a second release, and statements after the first', async () => {
    const { pool } = start()
    const client = await pool.connect()
    client.release()
    expect(() => client.release()).toThrow('released already')
    await expect(client.query('select 1')).rejects.toThrow('released already')
  })

  it('tells all its wrong options at once, its own included', () => {
    const wrong = { max: 0, minLeaseMs: 5 }
    expect(() => new FakePool(new FakeServer(), wrong)).toThrow(/`max` must be[^]*`minLeaseMs` must be/)
  })
})

describe('a pool whose environment was frozen', () => {
  it('drops a session whose lease lapsed, and no statement meets it', async () => {
    const { clock, server, pool } = start()
    await pool.query('select 1')
    await clock.advance(0)
    clock.freeze(3_600_000, 0)
    await pool.query('select 2')
    expect(server.statements).toEqual(['select 1', 'select 2'])
    expect(pool.leasehold.stats()).toMatchObject({ opened: 2, lapsed: 1, lost: 0 })
    expect(server.sessions).toHaveLength(1)
  })

  it('replaces a session that was ended meanwhile, within the same checkout', async () => {
    const { clock, server, pool } = start()
    await pool.query('select 1')
    await clock.advance(0)
    clock.freeze(60_000, 0)
    for (const session of server.sessions) server.terminate(session)
    await pool.query('select 2')
    expect(pool.leasehold.stats()).toMatchObject({ opened: 2, lost: 1, pinged: 1 })
  })

  it('replaces a session that the network forgot, within the limit of a connect', async () => {
    const { clock, server, pool } = start({ connectTimeoutMs: 400 })
    await pool.query('select 1')
    await clock.advance(0)
    server.blackhole()
    server.resume()
    clock.freeze(60_000, 0)
    const answered = pool.query('select 2')
    await clock.advance(400)
    await answered
    expect(pool.leasehold.stats()).toMatchObject({ opened: 2, lost: 1 })
    expect(pool.totalCount).toBe(1)
  })

  it('keeps a session that is sound', async () => {
    const { clock, pool } = start()
    await pool.query('select 1')
    await clock.advance(0)
    for (let use = 0; use < 5; use += 1) {
      clock.freeze(200_000, 0)
      await pool.query('select 1')
      await clock.advance(0)
    }
    expect(pool.leasehold.stats()).toMatchObject({ opened: 1, lapsed: 0, lost: 0 })
  })
})

describe('a pool whose server goes wrong', () => {
  it('hears of the end of an idle session, and forgets it', async () => {
    const { clock, server, pool } = start()
    await pool.query('select 1')
    for (const session of server.sessions) server.terminate(session)
    await clock.advance(0)
    expect(pool.totalCount).toBe(0)
    expect(pool.leasehold.stats()).toMatchObject({ lost: 1, lapsed: 0 })
  })

  it('counts an idle session that the server ended by its lease as lapsed, not as lost', async () => {
    const { clock, pool } = start({ maxLeaseMs: 60_000 })
    await pool.query('select 1')
    await clock.advance(60_000)
    expect(pool.totalCount).toBe(0)
    expect(pool.leasehold.stats()).toMatchObject({ lost: 0, lapsed: 1 })
  })

  it('drops a connection whose census is never answered, and counts the loss once', async () => {
    const { clock, server, pool } = start({ connectTimeoutMs: 400 })
    await pool.query('select 1')
    server.blackhole()
    await clock.advance(400)
    expect(pool.totalCount).toBe(0)
    expect(pool.leasehold.stats()).toMatchObject({ lost: 1 })
  })

  it('counts the loss once, too, where a request waits for the answer to that census', async () => {
    const { clock, server, pool } = start({ connectTimeoutMs: 400 })
    await pool.query('select 1')
    server.blackhole()
    await clock.advance(1)
    const answered = pool.query('select 2')
    server.resume()
    await clock.advance(400)
    await answered
    expect(pool.leasehold.stats()).toMatchObject({ opened: 2, lost: 1 })
  })

  it('surfaces the error of a statement as it is, and keeps the connection where it is sound', async () => {
    const { server, pool } = start()
    server.failNext('FAKE_DEADLOCK')
    const error = await rejectionOf(pool.query('update orders set total = 1'))
    expect(error).toMatchObject({ code: 'FAKE_DEADLOCK' })
    expect(failureDetails(error)).toBeUndefined()
    expect(pool.idleCount).toBe(1)
  })

  it('never sends a statement twice', async () => {
    const { clock, server, pool } = start()
    const client = await pool.connect()
    const running = rejectionOf(client.query('sleep 1000'))
    await clock.advance(10)
    server.terminate(client.session)
    await clock.advance(0)
    expect(await running).toMatchObject({ code: 'FAKE_TERMINATED' })
    client.release()
    expect(server.statements).toEqual(['sleep 1000'])
    expect(pool.totalCount).toBe(0)
  })

  it('evicts the connection of a server that turned read-only', async () => {
    const { server, pool } = start()
    server.readOnly = true
    const client = await pool.connect()
    expect(await rejectionOf(client.query('insert into orders values (1)'))).toMatchObject({
      code: 'FAKE_READ_ONLY',
    })
    await rejectionOf(client.query('insert into orders values (2)'))
    client.release()
    expect(pool.totalCount).toBe(0)
    expect(pool.leasehold.stats().evicted).toBe(1)
  })

  it('connects again after a restart', async () => {
    const { clock, server, pool } = start()
    await pool.query('select 1')
    server.restart(3_000)
    await clock.advance(0)
    const answered = pool.query('select 2')
    await clock.advance(4_000)
    await answered
    expect(server.statements).toEqual(['select 1', 'select 2'])
  })

  it('surfaces a wrong password at once, and serves the next who waits', async () => {
    const { server, pool } = start({ password: 'wrong' }, { password: 'right' })
    const errors = await Promise.all([rejectionOf(pool.connect()), rejectionOf(pool.connect())])
    for (const error of errors) expect(error).toMatchObject({ code: 'FAKE_WRONG_PASSWORD' })
    expect(pool).toMatchObject({ totalCount: 0, waitingCount: 0 })
    expect(server.sessions).toEqual([])
  })
})
