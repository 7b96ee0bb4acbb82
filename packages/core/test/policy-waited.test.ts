import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { isLate, publishedWaitMs } from '../src/policy-waiting.ts'
import { viewWith } from './policy-inputs.ts'

describe('a late wait', () => {
  it('is one of more than 1.4 of those that the fleet tells of', () => {
    const view = viewWith({ usedCount: 26, waiting: true, typicalWaitMs: 500 })
    expect(isLate(700, view)).toBe(false)
    expect(isLate(701, view)).toBe(true)
  })

  it('is one of more than 1.9 where waits are long, for then they differ more', () => {
    const view = viewWith({ usedCount: 26, waiting: true, typicalWaitMs: 2_001 })
    expect(isLate(3_801, view)).toBe(false)
    expect(isLate(3_802, view)).toBe(true)
  })

  it('is none where nobody knows what is usual', () => {
    expect(isLate(9_000, undefined)).toBe(false)
    expect(isLate(9_000, viewWith({ usedCount: 26, waiting: true }))).toBe(false)
  })
})

describe('the wait that a newcomer publishes', () => {
  it('is the whole of it when it was refused', () => {
    expect(publishedWaitMs(740, 1, false)).toBe(740)
  })

  it('is its courtesy when it was let in at the first try', () => {
    expect(publishedWaitMs(400, 0, true)).toBe(400)
  })

  it('is nothing when it made room and nobody came', () => {
    expect(publishedWaitMs(400, 0, false)).toBe(0)
  })

  it('is nothing when it did not wait', () => {
    expect(publishedWaitMs(0, 0, true)).toBe(0)
    expect(publishedWaitMs(20, 0, true)).toBe(0)
  })

  it('is never more than the wait itself, so that waits do not feed on themselves', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1e6, noNaN: true }),
        fc.nat(),
        fc.boolean(),
        (waitedMs, refused, othersWaited) => {
          const published = publishedWaitMs(waitedMs, refused, othersWaited)
          expect(published).toBeGreaterThanOrEqual(0)
          expect(published).toBeLessThanOrEqual(waitedMs)
        },
      ),
    )
  })
})
