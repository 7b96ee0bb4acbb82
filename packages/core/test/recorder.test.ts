import { describe, expect, it } from 'vitest'

import { metricsTable } from '../src/metrics-table.ts'
import { type MetricDimensions, type MetricField, METRICS, type MetricsSink } from '../src/metrics.ts'
import { resolveOptions } from '../src/options/resolve.ts'
import { newStats } from '../src/stats.ts'
import type { FakePoolOptions } from '../src/testing/fake-pool.ts'
import type { FakeServerOptions } from '../src/testing/fake-server-options.ts'
import { type PoolScene, start } from './fake-pool-scene.ts'
import { unhandledDuring } from './scene.ts'

class ListeningSink implements MetricsSink {
  readonly everyMs = 60_000
  readonly recorded: [name: string, value: number, count: number][] = []
  readonly flushes: boolean[] = []
  of: MetricDimensions | undefined

  record(name: string, value: number, count: number, of: MetricDimensions): void {
    this.recorded.push([name, value, count])
    this.of = of
  }

  async flush(isLast: boolean): Promise<string | undefined> {
    this.flushes.push(isLast)
    return undefined
  }

  /** What was recorded of one metric, and forgets it all. */
  take(name: string): [value: number, count: number][] {
    return this.recorded.flatMap(([of, value, count]) => (of === name ? [[value, count]] : []))
  }
}

function measured(
  options: FakePoolOptions = {},
  serverOptions: FakeServerOptions = {},
): PoolScene & { sink: ListeningSink } {
  const sink = new ListeningSink()
  return { ...start({ metrics: sink, ...options }, serverOptions), sink }
}

describe('the list of metrics', () => {
  it('has names in PascalCase, and counts that the pool keeps', () => {
    const fields = Object.entries<MetricField>(METRICS)
    for (const [name, { kind, stat }] of fields) {
      expect(name).toMatch(/^([A-Z][a-z]+)+$/)
      if (stat !== undefined) expect([kind, newStats()[stat]]).toEqual(['count', 0])
    }
    expect(new Set(fields.map(([, { meaning }]) => meaning)).size).toBe(fields.length)
  })

  it('has four cells in every row of its table', () => {
    for (const row of metricsTable().split('\n')) expect(row.split('|')).toHaveLength(6)
  })
})

describe('measurements of a pool', () => {
  it('have the fleet, the engine and the server for dimensions', async () => {
    const { pool, sink } = measured({ fleet: 'shop' })
    await pool.query('select 1')
    expect(sink.of).toEqual({ Fleet: 'shop', Engine: 'postgresql', Target: 'unknown' })
    const target = { host: 'DB.example', port: 5432, user: 'app' }
    pool.governor.observations.opening(target)
    pool.governor.observations.recorder.observe('ConnectTime', 1)
    expect(sink.of?.Target).toBe('db.example:5432')
    pool.governor.observations.opening({ ...target, host: '::1' })
    pool.governor.observations.recorder.observe('ConnectTime', 1)
    expect(sink.of?.Target).toBe('[::1]:5432')
  })

  it('are the counts since the last flush', async () => {
    const { pool, sink } = measured()
    await pool.query('select 1')
    await pool.query('select 2')
    await pool.leasehold.flush()
    expect(sink.take('ConnectionsOpened')).toEqual([[1, 1]])
    expect(sink.take('ConnectionsReused')).toEqual([[1, 1]])
    await pool.query('select 3')
    await pool.leasehold.flush()
    expect(sink.take('ConnectionsOpened')).toEqual([[1, 1]])
    expect(sink.take('ConnectionsReused')).toEqual([
      [1, 1],
      [1, 1],
    ])
  })

  it('have a 0 for every checkout that waited for nothing, and the time of those that did', async () => {
    const { clock, pool, sink } = measured({ pingAfterIdleMs: 500 }, { connectMs: 40, roundTripMs: 3 })
    const opening = pool.query('select 1')
    await clock.advance(200)
    await opening
    for (let request = 0; request < 9; request += 1) {
      const asked = pool.query('select 1')
      await clock.advance(10)
      await asked
    }
    await pool.leasehold.flush()
    const acquired = sink.take('AcquireTime')
    expect(acquired).toHaveLength(2)
    expect(acquired[0]?.[1]).toBe(1)
    expect(acquired[1]).toEqual([0, 9])
    expect(sink.take('ColdStartTime')).toEqual([acquired[0]])
  })

  it('have the wait for a busy pool, in vain or not', async () => {
    const { clock, pool, sink } = measured({ acquireTimeoutMs: 700 })
    const client = await pool.connect()
    const patient = pool.connect()
    await clock.advance(300)
    client.release()
    const other = await patient
    const inVain = pool.connect().catch(() => undefined)
    await clock.advance(700)
    await inVain
    other.release()
    expect(sink.take('PoolWaitTime')).toEqual([
      [300, 1],
      [700, 1],
    ])
    await pool.leasehold.flush()
    // The one that opened, and the one that waited: not a 0 for the latter.
    expect(sink.take('AcquireTime')).toEqual([
      [0, 1],
      [300, 1],
    ])
  })

  it('have what a census found', async () => {
    const { clock, pool, server, sink } = measured({}, { slotCount: 20 })
    await server.connect({ label: 'a stranger' })
    await pool.query('select 1')
    await clock.advance(0)
    expect(sink.take('SlotsUsed')).toEqual([[2, 1]])
    expect(sink.take('SlotsTotal')).toEqual([[20, 1]])
    expect(sink.take('Pressure')).toEqual([[10, 1]])
    expect(sink.take('FleetSessions')).toEqual([[1, 1]])
    expect(sink.take('HousekeepingTime')).toHaveLength(1)
  })

  it('have the wait for a slot and why it was tried again, given up or not', async () => {
    const { clock, pool, server, sink } = measured({ acquireTimeoutMs: 2_000 }, { slotCount: 1 })
    const stranger = await server.connect({ label: 'a stranger' })
    const rejected = pool.query('select 1').catch(() => 'given up')
    await clock.advance(3_000)
    expect(await rejected).toBe('given up')
    const patient = pool.query('select 1')
    await clock.advance(400)
    stranger.close()
    await clock.advance(1_000)
    await patient
    await pool.leasehold.flush()
    const waits = sink.take('SlotWaitTime').map(([waitedMs]) => waitedMs)
    expect(waits).toHaveLength(2)
    expect(waits[0]).toBeGreaterThan(1_000)
    expect(waits[1]).toBeGreaterThanOrEqual(300)
    const { refused, retriedSaturated } = pool.leasehold.stats()
    expect(sink.take('ConnectsRefused')).toEqual([[refused, 1]])
    // The last attempt of the request that gave up was followed by none.
    expect(retriedSaturated).toBe(refused - 1)
    expect(sink.take('RetriesSaturated')).toEqual([[retriedSaturated, 1]])
    expect(sink.take('ConnectsGivenUp')).toEqual([[1, 1]])
  })
})

describe('time after a response', () => {
  it('is left out where a freeze is in it', async () => {
    const { clock, pool, sink } = measured({}, { roundTripMs: 3 })
    const asked = pool.query('select 1')
    await clock.advance(6)
    await asked
    await clock.advance(1)
    // The census is on its way.
    clock.freeze(3_600_000)
    await clock.advance(10)
    expect(sink.take('SlotsUsed')).toHaveLength(1)
    expect(sink.take('CensusTime')).toEqual([])
    expect(sink.take('HousekeepingTime')).toEqual([])
  })

  it('has all that a slow server took', async () => {
    const { clock, pool, sink } = measured({}, { roundTripMs: 700 })
    const asked = pool.query('select 1')
    await clock.advance(1_400)
    await asked
    await clock.advance(10_000)
    expect(sink.take('CensusTime')).toEqual([[700, 1]])
  })

  it('is counted no further where no answer ever comes', async () => {
    const { clock, pool } = measured({ connectTimeoutMs: 1_000 })
    const client = await pool.connect()
    client.governed.hands.run = () => new Promise(() => {})
    client.release()
    await clock.advance(60_000)
    expect(clock.pendingCount).toBe(0)
  })
})

describe('connects that came to nothing', () => {
  it('are counted by whether waiting would have helped', async () => {
    const { clock, pool, sink } = measured({ acquireTimeoutMs: 500 }, { password: 'right' })
    await pool.query('select 1').catch(() => undefined)
    await pool.leasehold.flush()
    expect(sink.take('ConnectsFailed')).toEqual([[1, 1]])
    expect(sink.take('ConnectsGivenUp')).toEqual([])
    expect(clock.pendingCount).toBe(0)
  })
})

describe('a flush', () => {
  it('comes after a response, not before a random part of the interval, then at each', async () => {
    const { clock, pool, sink } = measured({ maxLeaseMs: 900_000 })
    const request = async (afterMs: number): Promise<number> => {
      await clock.advance(afterMs)
      const asked = pool.query('select 1')
      await clock.advance(0)
      await asked
      const before = sink.flushes.length
      await clock.advance(0)
      expect(before).toBeLessThanOrEqual(sink.flushes.length)
      return sink.flushes.length
    }
    // The script's random is 0.5.
    expect(await request(0)).toBe(0)
    expect(await request(29_900)).toBe(0)
    // Along with a census, one of which is due every two seconds.
    expect(await request(2_500)).toBe(1)
    expect(await request(57_000)).toBe(1)
    expect(await request(3_500)).toBe(2)
    expect(sink.flushes).toEqual([false, false])
  })

  it('comes where the server refuses the census too, and asks it no more often for that', async () => {
    const { clock, pool, server, sink } = measured()
    server.answersCensus = false
    for (let request = 0; request < 10; request += 1) {
      await pool.query('select 1')
      await clock.advance(4_000)
    }
    expect(sink.flushes).toEqual([false])
    expect(pool.leasehold.stats().censusRefused).toBe(1)
  })

  it('comes without leases too', async () => {
    const { clock, pool, sink } = measured({ lease: 'off' })
    await pool.query('select 1')
    await clock.advance(60_000)
    const asked = pool.query('select 1')
    await clock.advance(0)
    await asked
    await clock.advance(0)
    expect(sink.flushes).toEqual([false])
  })

  it('comes at drain and at the end, which waits for it', async () => {
    const { clock, pool, sink } = measured()
    await pool.query('select 1')
    await clock.advance(0)
    pool.leasehold.drain()
    expect(sink.flushes).toEqual([true])
    let isSent = false
    sink.flush = async () => {
      await clock.sleep(500)
      isSent = true
      return undefined
    }
    const ended = pool.end()
    await clock.advance(499)
    expect(isSent).toBe(false)
    await clock.advance(1)
    await ended
    expect(isSent).toBe(true)
  })

  it('that went wrong is a line in the log, at most three a minute', async () => {
    const { logger, pool, sink } = measured()
    sink.flush = async () => 'metrics could not be sent'
    for (let time = 0; time < 5; time += 1) await pool.leasehold.flush()
    expect(logger.warnings).toEqual(Array.from({ length: 3 }, () => 'leasehold: metrics could not be sent'))
  })

  it('that is asked for bears with the sink’s pause; drain and the end do not', async () => {
    const { clock, pool, sink } = measured()
    await pool.query('select 1')
    await clock.advance(0)
    await pool.leasehold.flush()
    expect(sink.flushes.splice(0)).toEqual([false])
    pool.leasehold.drain()
    expect(sink.flushes.splice(0)).toEqual([true])
    const ended = pool.end()
    await clock.advance(0)
    await ended
    expect(new Set(sink.flushes)).toEqual(new Set([true]))
  })

  it('that is asked for while another is under way sends what came meanwhile, after it', async () => {
    const { clock, pool, sink } = measured()
    await pool.query('select 1')
    const sent: number[] = []
    sink.flush = async () => {
      const reusedCount = sink.take('ConnectionsReused').at(-1)?.[0] ?? 0
      await clock.sleep(500)
      sent.push(reusedCount)
      return undefined
    }
    const first = pool.leasehold.flush()
    await pool.query('select 2')
    await pool.query('select 3')
    const second = pool.leasehold.flush()
    await clock.advance(500)
    await first
    expect(sent).toEqual([0])
    await clock.advance(500)
    await second
    expect(sent).toEqual([0, 2])
  })

  it('of a sink that breaks its promises fails no request', async () => {
    const { logger, pool, sink } = measured()
    sink.record = () => {
      throw new Error('full')
    }
    sink.flush = () => Promise.reject(new Error('broken'))
    await pool.query('select 1')
    await expect(pool.leasehold.flush()).resolves.toBeUndefined()
    expect(logger.warnings).toEqual(['leasehold: the sink for metrics failed; its metrics are lost'])
  })

  it('of a sink that rejects what is recorded leaves no rejection to anybody', async () => {
    const { pool, sink } = measured()
    sink.record = (): unknown => Promise.reject(new Error('full'))
    const unhandled = await unhandledDuring(async () => {
      await pool.query('select 1')
      await pool.leasehold.flush()
    })
    expect(unhandled).toEqual([])
  })

  it.each([0, 999, 900_001, Number.NaN, Number.POSITIVE_INFINITY])(
    'is asked for by a sink between a second and a quarter of an hour, not every %s ms',
    (everyMs) => {
      const metrics = { everyMs, record: () => undefined, flush: async () => undefined }
      expect(() => resolveOptions({ metrics })).toThrow(
        `\`metrics.everyMs\` must be a number of milliseconds from 1000 to 900000, got ${everyMs}`,
      )
    },
  )

  it('that never ends does not hold up the end of the pool', async () => {
    const { clock, pool, sink } = measured()
    sink.flush = () => new Promise(() => undefined)
    const ended = pool.end()
    await clock.advance(15_000)
    await expect(ended).resolves.toBeUndefined()
  })

  it('does nothing where metrics are off', async () => {
    const { pool, clock } = start({ metrics: 'off' })
    await pool.query('select 1')
    await pool.leasehold.flush()
    await pool.end()
    await clock.advance(0)
    expect(pool.governor.observations.recorder.isOn).toBe(false)
  })
})
