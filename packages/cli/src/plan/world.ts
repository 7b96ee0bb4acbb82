/** The world of a plan: its slots and processors, and the product's own policy. */

import { type Figures, type Scenario, simulate } from '@leasehold/simulation'

import type { ResolvedPlanOptions } from './options.ts'

export type Course = Pick<Scenario, 'name' | 'seconds' | 'fleets' | 'sampleMs'>

export function simulated(
  { slotCount, cores, engine, seed }: ResolvedPlanOptions,
  course: Course,
): Promise<Figures> {
  // What the server reserves is not among the slots any more.
  const server = { maxConnections: slotCount, reservedCount: 0, cores, isShared: false, quantumMs: 0 }
  return simulate({ about: 'a plan', ...server, ...course }, { policy: 'leasehold', engine, seed })
}
