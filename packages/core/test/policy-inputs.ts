/** Any input that a policy function may meet, for the properties. */

import fc from 'fast-check'

import type { FleetView } from '../src/census.ts'
import type { PolicyLimits } from '../src/policy.ts'
import { ScriptedRandom } from '../src/testing/scripted-random.ts'

/** As `resolveOptions` lets them through. */
export const anyLimits: fc.Arbitrary<PolicyLimits> = fc
  .record({
    leases: fc.tuple(fc.integer({ min: 1_000, max: 900_000 }), fc.integer({ min: 1_000, max: 900_000 })),
    targetPressure: fc.double({ min: 0.1, max: 1, noNaN: true }),
    backoffs: fc.tuple(fc.integer({ min: 1, max: 60_000 }), fc.integer({ min: 1, max: 60_000 })),
  })
  .map(({ leases, targetPressure, backoffs }) => ({
    minLeaseMs: Math.min(...leases),
    maxLeaseMs: Math.max(...leases),
    targetPressure,
    backoffBaseMs: Math.min(...backoffs),
    backoffCapMs: Math.max(...backoffs),
  }))

export const anyView: fc.Arbitrary<FleetView> = fc.record({
  usedCount: fc.nat({ max: 300 }),
  slotCount: fc.integer({ min: 1, max: 250 }),
  fleetCount: fc.option(fc.nat({ max: 300 }), { nil: undefined }),
  waiting: fc.boolean(),
  typicalWaitMs: fc.option(fc.double({ min: 0, max: 1_000_000, noNaN: true }), { nil: undefined }),
  busyShare: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined }),
})

export const anyViewOrNone: fc.Arbitrary<FleetView | undefined> = fc.option(anyView, { nil: undefined })

export const anyDurationMs: fc.Arbitrary<number> = fc.oneof(
  fc.double({ min: 0, max: 1_000_000, noNaN: true }),
  fc.constantFrom(0, Number.POSITIVE_INFINITY),
)

export const anyRandom: fc.Arbitrary<ScriptedRandom> = fc
  .array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { minLength: 1, maxLength: 8 })
  .map((numbers) => new ScriptedRandom(...numbers))

export const defaultLimits: PolicyLimits = {
  minLeaseMs: 2_000,
  maxLeaseMs: 300_000,
  targetPressure: 0.8,
  backoffBaseMs: 50,
  backoffCapMs: 300,
}

/** A view of 26 slots with nobody waiting, but for what is given. */
export function viewWith(given: Partial<FleetView>): FleetView {
  return {
    usedCount: 10,
    slotCount: 26,
    fleetCount: undefined,
    waiting: false,
    typicalWaitMs: undefined,
    ...given,
  }
}
