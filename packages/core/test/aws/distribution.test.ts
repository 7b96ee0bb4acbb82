import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { Distribution, MOST_VALUES } from '../../src/aws/distribution.ts'

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)

function spreadOf(values: readonly number[]): { values: readonly number[]; counts: readonly number[] } {
  const distribution = new Distribution()
  for (const value of values) distribution.add(value, 1)
  return distribution.spread
}

/** The value that `share` of all measurements do not exceed. */
function percentile({ values, counts }: ReturnType<typeof spreadOf>, share: number): number {
  const rank = share * sum(counts)
  let passed = 0
  for (const [place, value] of values.entries()) {
    passed += counts[place] ?? 0
    if (passed >= rank) return value
  }
  return values.at(-1) ?? Number.NaN
}

describe('a distribution', () => {
  it('is exact while the values are few, in rising order', () => {
    expect(spreadOf([97, 26, 97, 0, 12.5])).toEqual({ values: [0, 12.5, 26, 97], counts: [1, 1, 1, 2] })
  })

  it('counts what was measured many times at once', () => {
    const distribution = new Distribution()
    distribution.add(0, 5_000)
    distribution.add(80, 1)
    expect(distribution.spread).toEqual({ values: [0, 80], counts: [5_000, 1] })
  })

  it('leaves out what CloudWatch would refuse, and durations of a clock that went back', () => {
    expect(spreadOf([Number.NaN, Number.POSITIVE_INFINITY, -1])).toEqual({ values: [], counts: [] })
  })

  it('keeps number and sum of any values, in no more of them than CloudWatch takes', () => {
    const value = fc.oneof(
      fc.double({ min: 0, max: 900_000, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.integer({ min: 0, max: 3 }),
    )
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 2_000, size: 'max' }), (given) => {
        const { values, counts } = spreadOf(given)
        expect(values.length).toBeLessThanOrEqual(MOST_VALUES)
        expect(values).toEqual(values.toSorted((left, right) => left - right))
        expect(sum(counts)).toBe(given.length)
        const total = sum(values.map((one, place) => one * (counts[place] ?? 0)))
        expect(Math.abs(total - sum(given))).toBeLessThanOrEqual(given.length * 0.01)
      }),
      { numRuns: 50 },
    )
  })

  it('keeps percentiles within 5 % over four powers of ten', () => {
    const given = Array.from({ length: 20_000 }, (_, place) => 10 ** (4 * (place / 20_000)))
    const spread = spreadOf(given)
    for (const share of [0.01, 0.5, 0.9, 0.99, 0.999]) {
      const exact = given[Math.ceil(share * given.length) - 1] ?? Number.NaN
      expect(Math.abs(percentile(spread, share) / exact - 1)).toBeLessThan(0.05)
    }
  })

  it('keeps what was nothing apart from what was little', () => {
    const little = Array.from({ length: 1_000 }, (_, place) => 0.01 * (place + 1))
    const { values, counts } = spreadOf([...Array.from({ length: 7 }, () => 0), ...little])
    expect([values[0], counts[0]]).toEqual([0, 7])
  })
})
