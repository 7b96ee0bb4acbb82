import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import {
  busySessions,
  carriedPerS,
  coldConcurrency,
  defaultHeadroom,
  meanConcurrency,
  shared,
  sum,
  withSpread,
} from '../../src/plan/demand.ts'

const demand = fc.record({
  ratePerS: fc.double({ min: 0.01, max: 50_000, noNaN: true }),
  workMs: fc.double({ min: 0.1, max: 60_000, noNaN: true }),
  otherMs: fc.double({ min: 0, max: 60_000, noNaN: true }),
})
const demands = fc.array(demand, { minLength: 1, maxLength: 5 })
const slots = fc.integer({ min: 1, max: 20_000 })

describe("Little's law", () => {
  it('has 800 requests a second of 40 ms use 32 sessions, and 92 slots carry 2 300 a second', () => {
    const load = [{ ratePerS: 800, workMs: 40, otherMs: 160 }]
    expect(busySessions(load)).toBe(32)
    expect(meanConcurrency({ ratePerS: 800, workMs: 40, otherMs: 160 })).toBe(160)
    expect(carriedPerS(92, load)).toBe(2_300)
  })

  it('carries more with more slots, and the load itself with as many slots as it uses', () => {
    fc.assert(
      fc.property(demands, slots, slots, (load, some, more) => {
        expect(carriedPerS(some + more, load)).toBeGreaterThan(carriedPerS(some, load))
        expect(carriedPerS(busySessions(load), load)).toBeCloseTo(
          sum(load, ({ ratePerS }) => ratePerS),
          3,
        )
      }),
    )
  })

  it('needs more for a cold start than for a warm one', () => {
    fc.assert(
      fc.property(demand, (load) => {
        expect(coldConcurrency(load)).toBeGreaterThanOrEqual(withSpread(meanConcurrency(load), 3))
      }),
    )
  })
})

describe('room for chance', () => {
  it('is a whole number from 1, no less than the mean, and grows with mean and spread', () => {
    const mean = fc.double({ min: 0, max: 10_000, noNaN: true })
    const spread = fc.double({ min: 0, max: 20, noNaN: true })
    fc.assert(
      fc.property(mean, mean, spread, spread, (one, more, few, many) => {
        const room = withSpread(one, few)
        expect(Number.isInteger(room) && room >= Math.max(1, one)).toBe(true)
        expect(withSpread(one + more, few)).toBeGreaterThanOrEqual(room)
        expect(withSpread(one, few + many)).toBeGreaterThanOrEqual(room)
      }),
    )
  })
})

describe('headroom', () => {
  it('leaves a slot at least, is from 3 to 20 where there is room, and never shrinks with more slots', () => {
    fc.assert(
      fc.property(slots, slots, (count, more) => {
        const headroom = defaultHeadroom(count)
        expect(headroom).toBeLessThan(count)
        expect(headroom).toBeLessThanOrEqual(20)
        if (count > 3) expect(headroom).toBeGreaterThanOrEqual(3)
        expect(defaultHeadroom(count + more)).toBeGreaterThanOrEqual(headroom)
      }),
    )
  })
})

describe('a total in parts', () => {
  it('gives each one at least, and all of it together', () => {
    const weights = fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(weights, fc.integer({ min: 8, max: 10_000 }), (each, total) => {
        const parts = shared(total, each)
        expect(sum(parts, (part) => part)).toBe(total)
        expect(Math.min(...parts)).toBeGreaterThanOrEqual(1)
      }),
    )
  })

  it('gives as many to a function that needs as many', () => {
    expect(shared(100, [10, 10])).toEqual([50, 50])
    expect(shared(100, [30, 10])).toEqual([75, 25])
  })
})
