import { describe, expect, it, vi } from 'vitest'

import type { Meter } from '../src/meter.ts'
import { resolveOptions } from '../src/options/resolve.ts'
import { start } from './fake-pool-scene.ts'
import { unhandledDuring } from './scene.ts'

type Observe = Parameters<ReturnType<Meter['createObservableUpDownCounter']>['addCallback']>[0]

/** A meter that remembers. */
class ListeningMeter implements Meter {
  readonly recorded: [name: string, value: number, attributes: Record<string, string>][] = []
  readonly #observers: [name: string, callback: Observe][] = []

  createHistogram(name: string): { record(value: number, attributes: Record<string, string>): void } {
    return { record: (value, attributes) => void this.recorded.push([name, value, attributes]) }
  }

  createCounter(name: string): { add(value: number, attributes: Record<string, string>): void } {
    return { add: (value, attributes) => void this.recorded.push([name, value, attributes]) }
  }

  createObservableUpDownCounter(name: string): ReturnType<Meter['createObservableUpDownCounter']> {
    return {
      addCallback: (callback) => void this.#observers.push([name, callback]),
      removeCallback: (callback) => {
        const place = this.#observers.findIndex(([of, other]) => of === name && other === callback)
        if (place >= 0) this.#observers.splice(place, 1)
      },
    }
  }

  get observerCount(): number {
    return this.#observers.length
  }

  /** What is observed now: `name`, or `name state`. */
  collect(): Record<string, number> {
    const found: Record<string, number> = {}
    for (const [name, callback] of this.#observers) {
      const observe = (value: number, attributes: Record<string, string>): void => {
        const state = attributes['db.client.connection.state']
        found[state === undefined ? name : `${name} ${state}`] = value
      }
      callback({ observe })
    }
    return found
  }

  values(what: string): number[] {
    return this.recorded.flatMap(([name, value]) => (name === `db.client.connection.${what}` ? [value] : []))
  }
}

describe('a meter', () => {
  it('is told of connections by state, of the limit, and of who waits', async () => {
    const meter = new ListeningMeter()
    const { pool } = start({ max: 2, meter })
    expect(meter.collect()).toEqual({})
    pool.governor.observations.opening({ host: 'db.example', port: 5432, user: 'app' })
    const clients = await Promise.all([pool.connect(), pool.connect()])
    const waiting = pool.connect()
    expect(meter.collect()).toEqual({
      'db.client.connection.count used': 2,
      'db.client.connection.count idle': 0,
      'db.client.connection.max': 2,
      'db.client.connection.pending_requests': 1,
    })
    for (const client of clients) client.release()
    const last = await waiting
    last.release()
    expect(meter.collect()).toMatchObject({
      'db.client.connection.count used': 0,
      'db.client.connection.count idle': 2,
      'db.client.connection.pending_requests': 0,
    })
  })

  it('is told in seconds how long connecting, waiting and using took, and in whose pool', async () => {
    const meter = new ListeningMeter()
    const { clock, pool } = start({ fleet: 'shop', meter }, { connectMs: 200 })
    pool.governor.observations.opening({ host: 'db.example', port: 5432, user: 'app' })
    const opening = pool.connect()
    await clock.advance(200)
    const first = await opening
    const waiting = pool.connect()
    await clock.advance(3_000)
    first.release()
    const second = await waiting
    await clock.advance(500)
    second.release()
    const third = await pool.connect()
    third.release()
    expect(meter.values('create_time')).toEqual([0.2])
    expect(meter.values('wait_time')).toEqual([0.2, 3, 0])
    expect(meter.values('use_time')).toEqual([3, 0.5, 0])
    expect(meter.recorded[0]?.[2]).toEqual({ 'db.client.connection.pool.name': 'db.example:5432/shop' })
  })

  it('is told of requests that got no connection in time', async () => {
    const meter = new ListeningMeter()
    const { clock, pool } = start({ acquireTimeoutMs: 100, meter })
    const client = await pool.connect()
    const inVain = pool.connect().catch(() => undefined)
    await clock.advance(100)
    await inVain
    client.release()
    expect(meter.values('timeouts')).toEqual([1])
  })

  it('is told of a wait once, though the connection was opened in that time', async () => {
    const meter = new ListeningMeter()
    const { clock, pool } = start({ acquireTimeoutMs: 5_000, meter }, { connectMs: 200 })
    const opening = pool.connect()
    await clock.advance(200)
    const first = await opening
    const waiting = pool.connect()
    await clock.advance(1_000)
    first.release(true)
    await clock.advance(200)
    const second = await waiting
    second.release()
    expect(meter.values('wait_time')).toEqual([0.2, 1.2])
  })

  it('that throws or rejects changes nothing', async () => {
    const meter = new ListeningMeter()
    vi.spyOn(meter, 'createHistogram').mockReturnValue({
      record: () => {
        throw new Error('meter')
      },
    })
    const rejects = (): unknown => Promise.reject(new Error('meter'))
    vi.spyOn(meter, 'createCounter').mockReturnValue({
      add: rejects,
    })
    const { clock, pool } = start({ acquireTimeoutMs: 100, meter })
    const client = await pool.connect()
    const inVain = pool.connect().catch((error: unknown) => error)
    const unhandled = await unhandledDuring(() => clock.advance(100))
    expect(await inVain).toMatchObject({ code: 'ACQUIRE_TIMEOUT' })
    expect(unhandled).toEqual([])
    client.release()
    expect(pool.idleCount).toBe(1)
    await pool.query('select 1')
  })

  it('is left by a pool that ends, once its last connection is closed', async () => {
    const meter = new ListeningMeter()
    const { pool } = start({ max: 2, meter })
    pool.governor.observations.opening({ host: 'db.example', port: 5432, user: 'app' })
    const [held, other] = await Promise.all([pool.connect(), pool.connect()])
    other.release()
    const ended = pool.end()
    expect(meter.collect()).toMatchObject({
      'db.client.connection.count used': 1,
      'db.client.connection.count idle': 0,
    })
    held.release()
    await ended
    expect(meter.observerCount).toBe(0)
  })

  it('is left by a pool that ends without ever having had a connection', async () => {
    const meter = new ListeningMeter()
    const { pool } = start({ meter })
    expect(meter.observerCount).toBe(3)
    await pool.end()
    expect(meter.observerCount).toBe(0)
  })

  it('that cannot let go of a callback fails no end', async () => {
    const meter = new ListeningMeter()
    vi.spyOn(meter, 'createObservableUpDownCounter').mockReturnValue({ addCallback: () => undefined })
    const { pool } = start({ meter })
    await expect(pool.end()).resolves.toBeUndefined()
  })

  it('must be one', () => {
    expect(() => resolveOptions({ meter: console as never })).toThrow(
      '`meter` must be a meter of OpenTelemetry, got object',
    )
  })
})
