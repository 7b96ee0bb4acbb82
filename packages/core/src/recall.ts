/**
 * PURE: when to recall sessions from the fleet, how many, and which may be recalled at all. A frozen
 * environment can't hear that times have changed: a lease granted in plenty is too long in need.
 */

import { type FleetView, pressureOf } from './census.ts'
import type { PolicyLimits } from './policy.ts'
import { contended } from './policy.ts'
import type { Random } from './random.ts'

/** No recall ends more sessions than this. */
export const MOST_RECALLED = 8
/** Pressure above the target for this long, in one census after another, is no passing crowd. */
const SUSTAINED_MS = 1_000
/** Between two recalls of one environment; doubled for each that found nothing to end. */
const PAUSE_MS = 500
const MOST_PAUSE_MS = 60_000
const PAUSE_SPREAD = 0.25
const HELD_EVERY_MS = 500
/** A connection in the application's hands that sits idle for so long is kept alive by a ping. */
export const HELD_IDLE_MS = 600
/** Beyond the idle time after which its owner asks before using it: answers travel, clocks differ. */
const MARGIN_MS = 400
/** No invocation of Lambda's lasts longer. */
const LONGEST_INVOCATION_MS = 900_000

/** What a session's mark says of when it may be recalled. */
export interface RecallTerms {
  /** Idle for so long, its owner will ask whether it is still there before using it. */
  readonly afterIdleMs: number
  /** Idle for so long, it is in no invocation's hands, whatever the server can tell of transactions. */
  readonly limitMs: number
}

/** How often connections in the application's hands are looked at, in milliseconds. */
export function heldEveryMs({ minLeaseMs }: Pick<PolicyLimits, 'minLeaseMs'>): number {
  return Math.min(minLeaseMs / 4, HELD_EVERY_MS)
}

/**
 * The terms of a new session, rounded up to what a label can hold: tenths of a second, and seconds.
 *
 * @param invocationMs how long the function's invocations may take; undefined where nobody said
 */
export function recallTerms(pingAfterIdleMs: number, invocationMs: number | undefined): RecallTerms {
  const safeMs = Math.max(pingAfterIdleMs, HELD_IDLE_MS + HELD_EVERY_MS) + MARGIN_MS
  const limitMs = Math.max(invocationMs ?? LONGEST_INVOCATION_MS, safeMs)
  return { afterIdleMs: Math.ceil(safeMs / 100) * 100, limitMs: Math.ceil(limitMs / 1_000) * 1_000 }
}

export interface RecallState {
  readonly view: FleetView
  /** For how long every census of this environment's has found pressure above the target. */
  readonly pressedMs: number
  /** This environment was refused a slot before its last connection. */
  readonly wasRefused: boolean
  /** Since its last recall; infinite before the first. */
  readonly sinceRecallMs: number
  /** What `recallPauseMs` gave then. */
  readonly pauseMs: number
}

/**
 * How many sessions to recall now: 0 unless pressure is above the target and somebody is being refused, or
 * it has stayed there; as many as bring it back to the target, and never more than `MOST_RECALLED`.
 */
export function recallCount(state: RecallState, limits: PolicyLimits): number {
  const { view } = state
  if (pressureOf(view) <= limits.targetPressure) return 0
  const urgent = state.wasRefused || contended(view)
  if (!urgent && state.pressedMs < SUSTAINED_MS) return 0
  if (state.sinceRecallMs < state.pauseMs) return 0
  const excess = view.usedCount - Math.floor(view.slotCount * limits.targetPressure)
  return Math.min(Math.max(excess, 0), MOST_RECALLED)
}

/** How long to leave it after a recall; `fruitless` of them in a row ended nothing. */
export function recallPauseMs(fruitless: number, random: Random): number {
  const pauseMs = Math.min(PAUSE_MS * 2 ** Math.min(fruitless, 16), MOST_PAUSE_MS)
  return pauseMs * (1 - PAUSE_SPREAD + 2 * PAUSE_SPREAD * random.next())
}
