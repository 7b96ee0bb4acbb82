/**
 * PURE: from what is known to what to do. No I/O, no clock, no randomness but what is passed in.
 * The product and the simulator run these same functions.
 *
 * Here: the state of the fleet, and its leases. What a holder does is in `policy-keeping.ts`, what a newcomer does in
 * `policy-waiting.ts`.
 */

import { type FleetView, pressureOf } from './census.ts'

export interface PolicyLimits {
  readonly minLeaseMs: number
  readonly maxLeaseMs: number
  readonly targetPressure: number
  readonly backoffBaseMs: number
  readonly backoffCapMs: number
}

/** From this pressure on, the lease is `leaseMs`. */
export interface LeaseStep {
  readonly fromPressure: number
  readonly leaseMs: number
}

const LADDER_STEPS = 6
const SHORT_LEASE_MS = 2_000
/** Where a smaller share of the sessions runs a statement, slots are short because of environments that are used rarely. */
const IDLE_SHARE = 0.15
/** With more than a fifth of the slots free nobody waits for one, whatever sessions say of what was. */
const ROOMY_PRESSURE = 0.8

/** Knowledge older than this is no longer acted upon: under contention each environment counts so often, and waits tell the rest. */
export const STALE_VIEW_MS: number = 8_000

/** Where newcomers wait for longer than this, deadlines are near. */
export const LONG_WAIT_MS: number = 2_000

/**
 * A short lease while nobody waits, and of a session that nobody was refused for: an environment is often
 * frozen before its first census, and no session should be lost for that while slots are plenty.
 */
export function shortLeaseMs({ minLeaseMs, maxLeaseMs }: PolicyLimits): number {
  return Math.min(Math.max(SHORT_LEASE_MS, minLeaseMs), maxLeaseMs)
}

/**
 * Leases by pressure: `maxLeaseMs` while half the target is free, from there in geometric steps towards a
 * short one, and `minLeaseMs` from halfway between the target and a full server. Ascending pressure,
 * descending lease.
 */
export function leaseLadder(limits: PolicyLimits): readonly LeaseStep[] {
  const start = limits.targetPressure / 2
  const end = (1 + limits.targetPressure) / 2
  const ratio = shortLeaseMs(limits) / limits.maxLeaseMs
  const steps: LeaseStep[] = [{ fromPressure: 0, leaseMs: limits.maxLeaseMs }]
  for (let step = 1; step < LADDER_STEPS; step += 1) {
    steps.push({
      fromPressure: start + ((end - start) * step) / LADDER_STEPS,
      leaseMs: Math.round(limits.maxLeaseMs * ratio ** (step / LADDER_STEPS)),
    })
  }
  steps.push({ fromPressure: end, leaseMs: limits.minLeaseMs })
  return steps
}

/** No free slot, or hardly any and newcomers had to wait. */
export function contended(view: FleetView): boolean {
  const pressure = pressureOf(view)
  return pressure >= 1 || (view.waiting && pressure > ROOMY_PRESSURE)
}

/** Slots are plenty. */
export function calm(view: FleetView, limits: PolicyLimits): boolean {
  return !contended(view) && pressureOf(view) <= limits.targetPressure
}

/** Hardly any session does anything: many environments are used rarely, and slots are held by those that are frozen. */
export function mostlyIdle({ busyShare }: FleetView): boolean {
  return busyShare !== undefined && busyShare < IDLE_SHARE
}

/** The lease a session should have. Never longer at a higher pressure. */
export function leaseFor(view: FleetView, ladder: readonly LeaseStep[]): number {
  const pressure = contended(view) ? Number.POSITIVE_INFINITY : pressureOf(view)
  let leaseMs = 0
  for (const step of ladder) {
    if (pressure < step.fromPressure) break
    leaseMs = step.leaseMs
  }
  return leaseMs
}

export function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high)
}
