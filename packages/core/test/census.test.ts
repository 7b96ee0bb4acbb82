import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { censusIntervalMs, pressureOf, type SlotLimit, tightest, viewOf } from '../src/census.ts'
import { formatLabel } from '../src/label.ts'
import { census } from './scene.ts'

const NOW_MS = 1_800_000_000_000

function label(waitedMs: number, ageMs: number, fleet = 'shop'): string {
  return formatLabel({ fleet, name: 'checkout', waitedMs, openedEpochMs: NOW_MS - ageMs })
}

function view(labels: readonly string[], refusedCount?: number, previousRefusedCount?: number) {
  return viewOf(census(20, 26, { labels, refusedCount }), 'shop', NOW_MS, previousRefusedCount)
}

describe('the view of a census', () => {
  it('has the counts as the server gave them', () => {
    expect(view([])).toMatchObject({ usedCount: 20, slotCount: 26 })
  })

  it('takes pressure for used slots over slots, and lets it exceed 1', () => {
    expect(pressureOf(view([]))).toBeCloseTo(20 / 26)
    expect(pressureOf(viewOf(census(28, 26), 'shop', NOW_MS, undefined))).toBeGreaterThan(1)
  })

  it('never divides by nothing', () => {
    expect(pressureOf(viewOf(census(0, 0), 'shop', NOW_MS, undefined))).toBe(0)
  })

  it('counts our fleet, and no other’s sessions', () => {
    const labels = [label(0, 50_000), label(0, 60_000), label(0, 1_000, 'other'), 'psql']
    expect(view(labels).fleetCount).toBe(2)
  })

  it('does not know the fleet’s size where the server shows no labels', () => {
    expect(view([]).fleetCount).toBeUndefined()
  })

  it('hears of waits where the server tells them otherwise than by labels', () => {
    const told = viewOf(census(20, 26, { waitsMs: [200, 400] }), 'shop', NOW_MS, 0)
    expect(told).toMatchObject({ fleetCount: undefined, waiting: true, typicalWaitMs: 300 })
  })

  it('takes what is free for the server’s where the census tells of no other limit', () => {
    expect(view([])).toMatchObject({ limit: 'server', freeCount: 6 })
    expect(viewOf(census(28, 26), 'shop', NOW_MS, undefined).freeCount).toBe(0)
    const limited = census(4, 5, { limit: 'login', freeCount: 0 })
    expect(viewOf(limited, 'shop', NOW_MS, undefined)).toMatchObject({ limit: 'login', freeCount: 0 })
  })

  it('sees that newcomers had to wait, and for how long on average', () => {
    expect(view([label(400, 500), label(200, 1_000), label(0, 500)])).toMatchObject({
      waiting: true,
      typicalWaitMs: 300,
    })
  })

  it('sees nobody waiting where everybody was let in at once', () => {
    const calm = view([label(0, 500), label(0, 100)])
    expect(calm).toMatchObject({ waiting: false })
    expect(calm.typicalWaitMs).toBeUndefined()
  })

  it('forgets a wait some seconds after its newcomer was let in', () => {
    expect(view([label(400, 10_000)])).toMatchObject({ waiting: false, typicalWaitMs: undefined })
  })

  it('does not believe a newcomer from the future, whose clock must be wrong', () => {
    expect(view([label(400, -60_000)]).waiting).toBe(false)
    expect(view([label(400, -1_000)]).waiting).toBe(true)
  })

  it('ignores the waits of another fleet', () => {
    expect(view([label(400, 500, 'other')]).waiting).toBe(false)
  })

  it('takes refusals since the census before for somebody waiting, without knowing for how long', () => {
    expect(view([], 12, 10)).toMatchObject({ waiting: true, typicalWaitMs: undefined })
  })

  it.each([
    ['none happened', 10, 10],
    ['the server has started again and counts from nothing', 0, 10],
    ['this is the first census', 10, undefined],
    ['the server does not count them', undefined, 10],
  ])('sees no refusals where %s', (_what, now, before) => {
    expect(view([], now, before).waiting).toBe(false)
  })
})

describe('the limit that binds', () => {
  const server = (usedCount: number, slotCount: number): SlotLimit => ({ of: 'server', usedCount, slotCount })
  const login = (usedCount: number, slotCount: number): SlotLimit => ({ of: 'login', usedCount, slotCount })
  const anyLimit: fc.Arbitrary<SlotLimit> = fc.record({
    of: fc.constantFrom('server', 'database', 'login'),
    usedCount: fc.nat({ max: 300 }),
    slotCount: fc.nat({ max: 200 }),
  })

  it('is the one under the most pressure, and what is free is free by all of them', () => {
    expect(tightest([server(80, 97), login(2, 10)])).toEqual({
      usedCount: 80,
      slotCount: 97,
      limit: 'server',
      freeCount: 8,
    })
    expect(tightest([server(80, 97), login(9, 10)])).toMatchObject({ limit: 'login', freeCount: 1 })
  })

  it('is the server’s where others are under as much', () => {
    expect(tightest([server(50, 100), login(5, 10)]).limit).toBe('server')
  })

  it('never looks calmer than any limit, and is full if and only if nothing is free', () => {
    fc.assert(
      fc.property(anyLimit, fc.array(anyLimit, { maxLength: 2 }), (first, others) => {
        const found = tightest([first, ...others])
        for (const limit of [first, ...others]) {
          expect(pressureOf(found)).toBeGreaterThanOrEqual(pressureOf(limit))
          expect(found.freeCount).toBeLessThanOrEqual(Math.max(0, limit.slotCount - limit.usedCount))
        }
        const isFull = found.usedCount >= found.slotCount
        const hasNone = [first, ...others].some((limit) => limit.usedCount >= Math.max(1, limit.slotCount))
        expect(isFull).toBe(hasNone)
        if (isFull) expect(found.freeCount).toBe(0)
      }),
    )
  })
})

describe('the interval between two censuses', () => {
  it('is the one that was asked for up to 200 sessions, and grows with them beyond', () => {
    expect([0, 26, 200].map((usedCount) => censusIntervalMs(2_000, usedCount))).toEqual([2_000, 2_000, 2_000])
    expect(censusIntervalMs(2_000, 400)).toBe(4_000)
    expect(censusIntervalMs(2_000, 1_700)).toBe(17_000)
  })

  it('never shrinks as sessions are added, and bounds how many sessions a fleet reads for each of its own', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20_000 }),
        fc.integer({ min: 100, max: 600_000 }),
        (count, everyMs) => {
          const intervalMs = censusIntervalMs(everyMs, count)
          expect(censusIntervalMs(everyMs, count + 1)).toBeGreaterThanOrEqual(intervalMs)
          expect((count * everyMs) / intervalMs).toBeLessThanOrEqual(200 + 1e-9)
        },
      ),
    )
  })
})
