import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { calm, contended, leaseFor, leaseLadder } from '../src/policy.ts'
import { anyLimits, anyView, defaultLimits, viewWith } from './policy-inputs.ts'

describe('the ladder of leases', () => {
  it('begins with the longest lease and ends with the shortest', () => {
    fc.assert(
      fc.property(anyLimits, (limits) => {
        const ladder = leaseLadder(limits)
        expect(ladder[0]).toEqual({ fromPressure: 0, leaseMs: limits.maxLeaseMs })
        expect(ladder.at(-1)?.leaseMs).toBe(limits.minLeaseMs)
      }),
    )
  })

  it('rises in pressure, falls in leases, and has whole milliseconds only', () => {
    fc.assert(
      fc.property(anyLimits, (limits) => {
        const ladder = leaseLadder(limits)
        for (const [index, step] of ladder.entries()) {
          const before = ladder[index - 1]
          expect(Number.isInteger(step.leaseMs)).toBe(true)
          expect(step.fromPressure).toBeLessThanOrEqual(1)
          if (before === undefined) continue
          expect(step.fromPressure).toBeGreaterThan(before.fromPressure)
          expect(step.leaseMs).toBeLessThanOrEqual(before.leaseMs)
        }
      }),
    )
  })

  it('shortens leases well before the target is reached, and is at its end before the server is full', () => {
    const ladder = leaseLadder(defaultLimits)
    const lengthAt = (usedCount: number): number => leaseFor(viewWith({ usedCount, slotCount: 100 }), ladder)
    expect(lengthAt(0)).toBe(300_000)
    expect(lengthAt(40)).toBe(300_000)
    expect(lengthAt(60)).toBeLessThan(150_000)
    expect(lengthAt(80)).toBeLessThan(15_000)
    expect(lengthAt(90)).toBe(2_000)
  })
})

describe('the lease for a census', () => {
  it('is between the shortest and the longest, whatever the census', () => {
    fc.assert(
      fc.property(anyLimits, anyView, (limits, view) => {
        const leaseMs = leaseFor(view, leaseLadder(limits))
        expect(leaseMs).toBeGreaterThanOrEqual(limits.minLeaseMs)
        expect(leaseMs).toBeLessThanOrEqual(limits.maxLeaseMs)
      }),
    )
  })

  it('is never longer at a higher pressure', () => {
    fc.assert(
      fc.property(anyLimits, anyView, fc.nat({ max: 300 }), (limits, view, moreCount) => {
        const ladder = leaseLadder(limits)
        const fuller = { ...view, usedCount: view.usedCount + moreCount }
        expect(leaseFor(fuller, ladder)).toBeLessThanOrEqual(leaseFor(view, ladder))
      }),
    )
  })

  it('is never longer when somebody waits', () => {
    fc.assert(
      fc.property(anyLimits, anyView, (limits, view) => {
        const ladder = leaseLadder(limits)
        expect(leaseFor({ ...view, waiting: true }, ladder)).toBeLessThanOrEqual(
          leaseFor({ ...view, waiting: false }, ladder),
        )
      }),
    )
  })

  it('is the shortest under contention, however much the target allows', () => {
    fc.assert(
      fc.property(anyLimits, anyView, (limits, view) => {
        fc.pre(view.usedCount > 0.8 * view.slotCount)
        expect(leaseFor({ ...view, waiting: true }, leaseLadder(limits))).toBe(limits.minLeaseMs)
      }),
    )
  })
})

describe('the state of the fleet', () => {
  it('is never calm and contended at once, unless the target is a full server', () => {
    fc.assert(
      fc.property(anyLimits, anyView, (limits, view) => {
        fc.pre(limits.targetPressure < 1)
        expect(calm(view, limits) && contended(view)).toBe(false)
      }),
    )
  })

  it('is contended when the last slot is taken, and not one slot before', () => {
    expect(contended(viewWith({ usedCount: 26 }))).toBe(true)
    expect(contended(viewWith({ usedCount: 25 }))).toBe(false)
  })

  it('is contended when newcomers had to wait, unless a fifth of the slots is free', () => {
    expect(contended(viewWith({ usedCount: 81, slotCount: 100, waiting: true }))).toBe(true)
    expect(contended(viewWith({ usedCount: 80, slotCount: 100, waiting: true }))).toBe(false)
  })

  it('is calm up to the target and not beyond', () => {
    expect(calm(viewWith({ usedCount: 80, slotCount: 100 }), defaultLimits)).toBe(true)
    expect(calm(viewWith({ usedCount: 81, slotCount: 100 }), defaultLimits)).toBe(false)
  })
})
