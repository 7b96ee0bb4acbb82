import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { type Pacing, waitMs } from '../../src/serverless/pacing.ts'
import { ScriptedRandom } from '../../src/testing/scripted-random.ts'

const full: Pacing = { backoff: 'full', baseMs: 2, capMs: 100 }
const decorrelated: Pacing = { backoff: 'decorrelated', baseMs: 50, capMs: 1_000 }
const ALMOST_ONE = 0.999_999

describe('the wait before the next try', () => {
  it('is drawn from nothing to a window that doubles up to the cap, with full jitter', () => {
    const longest = (retries: number): number => waitMs(full, 0, retries, new ScriptedRandom(ALMOST_ONE))
    expect([1, 2, 3, 4, 5, 6, 50].map(longest)).toEqual([4, 8, 16, 32, 64, 100, 100])
    expect(waitMs(full, 0, 6, new ScriptedRandom(0))).toBe(0)
  })

  it('is at least the base at the first retry, where waits are decorrelated', () => {
    expect(waitMs(decorrelated, 0, 1, new ScriptedRandom(0))).toBe(50)
    expect(waitMs(decorrelated, 0, 1, new ScriptedRandom(ALMOST_ONE))).toBe(50)
  })

  it('grows to three times the wait before and no higher than the cap, where waits are decorrelated', () => {
    expect(waitMs(decorrelated, 50, 2, new ScriptedRandom(ALMOST_ONE))).toBe(150)
    expect(waitMs(decorrelated, 900, 9, new ScriptedRandom(ALMOST_ONE))).toBe(1_000)
  })

  it('is what a function says, which is given the wait before and the number of retries', () => {
    const backoff = (beforeMs: number, retries: number): number => beforeMs * 10 + retries
    expect(waitMs({ ...full, backoff }, 7, 3, new ScriptedRandom())).toBe(73)
  })

  it.each([Number.NaN, -5, Number.POSITIVE_INFINITY])('is none where a function says %s', (nonsense) => {
    expect(waitMs({ ...full, backoff: () => nonsense }, 7, 3, new ScriptedRandom())).toBe(0)
  })

  it('never is negative nor above the cap, whatever was configured', () => {
    const anyPacing = fc.record({
      backoff: fc.constantFrom('full', 'decorrelated'),
      baseMs: fc.nat(10_000),
      capMs: fc.nat(10_000),
    })
    fc.assert(
      fc.property(
        anyPacing,
        fc.nat(10_000),
        fc.integer({ min: 1, max: 100 }),
        fc.double({ min: 0, max: ALMOST_ONE, noNaN: true }),
        (pacing, beforeMs, retries, chance) => {
          const waited = waitMs(pacing, beforeMs, retries, new ScriptedRandom(chance))
          expect(waited).toBeGreaterThanOrEqual(0)
          expect(waited).toBeLessThanOrEqual(pacing.capMs)
        },
      ),
    )
  })
})
