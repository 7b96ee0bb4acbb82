/** PURE: when a newcomer asks for a slot, and asks again; and what it tells the fleet of its wait. */

import type { FleetView } from './census.ts'
import { longGapMs } from './policy-keeping.ts'
import { clamp, contended, LONG_WAIT_MS, type PolicyLimits, STALE_VIEW_MS } from './policy.ts'
import type { Random } from './random.ts'

/**
 * Whoever has made room on a full server to find out whether anybody waits leaves it free for so long: a newcomer that
 * knows nothing of the queue asks about this often.
 */
const PROBE_WAIT_MS = 450
/** Newcomers wait, but the server does not show for how long (MySQL counts refusals only). */
const UNKNOWN_WAIT_MS = 400
/** Whoever has yielded longer ago owes no courtesy. */
const LATELY_YIELDED_MS = 5_000
/**
 * Whoever has just yielded stays away for so much of the wait of others, or up to the spread more. Less than all of
 * it, so that the waits that are told become shorter, until somebody is refused.
 */
const COURTESY_LEAST = 0.7
const COURTESY_SPREAD = 0.2
/**
 * Or, who had to wait at his last turn as well, for so much of that turn and of the others' wait, the latter by its
 * weight. Turns that repeat themselves keep out of each other's way, as drawn ones do not.
 */
const TURN_SHARE = 0.96
const OTHERS_WEIGHT = 0.4
const MIN_DELAY_MS = 20

interface Asking {
  /** Attempts in a wait of the usual length. */
  readonly polls: number
  /** A refused attempt costs the server a fork: the rest is this multiple of the time it took. */
  readonly duty: number
}

const USUAL_ASKING: Asking = { polls: 6, duty: 8 }
/** Whoever came in his own turn was early by little: a slot will soon be free. */
const ASKING_IN_TURN: Asking = { polls: 14, duty: 5 }
/** He counts as in turn until he has waited for so many of the fleet's waits. */
const IN_TURN_WAITS = 1.25
/** The rest is shorter for whoever has waited longer than is usual, and longer for the others, by so much at the most. */
const REST_AGE_LEAST = 0.3
const REST_AGE_MOST = 4
/** What is usual, where it is not known. */
const USUAL_WAIT_MS = 500
/**
 * Who does not know, and has waited for so long, asks more often: those who know ask more often than he did. Who has
 * waited for longer still is one of a crowd.
 */
const HURRY_FROM_MS = 1_200
const HURRY_UNTIL_MS = 3_500
const HURRY_DELAY_SHARE = 0.5
/** A wait of so many usual ones is a late one, of a fleet that has changed meanwhile; of so many where waits are long. */
const LATE_WAITS = 1.4
const LATE_LONG_WAITS = 1.9
/** A server that takes longer than this to refuse is drowning in such attempts: the rest grows with the square, */
const SLOW_REFUSAL_MS = 200
/** up to so much of the time that is left. */
const SLOW_REST_SHARE = 1 / 2
/** Of the time that is left, no rest takes more than this share: attempts become denser as the deadline nears. */
const REST_SHARE = 1 / 6
const MIN_REST_SHARE_MS = 60
/** The last attempt is made this long before the deadline. */
const LAST_ATTEMPT_MS = 300

/** How long a newcomer tells the fleet that it had to wait; 0 when it was let in at once. */
export function publishedWaitMs(waitedMs: number, refusedCount: number, othersWaited: boolean): number {
  if (refusedCount > 0) return waitedMs
  // Made room to find out whether anybody waits, and nobody took it.
  return othersWaited && waitedMs > MIN_DELAY_MS ? waitedMs : 0
}

/** Whether a wait was so much longer than others' that something has changed meanwhile. */
export function isLate(waitedMs: number, view: FleetView | undefined): boolean {
  const usualMs = view?.typicalWaitMs
  if (usualMs === undefined) return false
  return waitedMs > (usualMs > LONG_WAIT_MS ? LATE_LONG_WAITS : LATE_WAITS) * usualMs
}

/** What is known of the fleet. */
export interface Known {
  readonly view: FleetView | undefined
  readonly viewAgeMs: number
}

export interface NewcomerState extends Known {
  /** Since this environment yielded in an earlier invocation, or undefined if it did not lately. */
  readonly sinceYieldMs: number | undefined
  /** From the yield before that one until it was let in again, or undefined if it did not have to wait then. */
  readonly turnMs: number | undefined
  /** Mean length of this environment's own idle gaps. */
  readonly gapMs: number
  /** Mean time that its own successful connects took; 0 when unknown. */
  readonly connectMs: number
}

/** The courtesy before a first attempt: whoever has just yielded does not snatch the slot back. */
export function firstDelayMs(state: NewcomerState, random: Random): number {
  const { view } = state
  if (view === undefined || !contended(view) || state.viewAgeMs > STALE_VIEW_MS) return 0
  if (state.sinceYieldMs === undefined || state.sinceYieldMs > LATELY_YIELDED_MS) return 0
  // It left for the length of its own gaps, which are over: it takes nothing back.
  if (state.gapMs > longGapMs(state.connectMs)) return 0
  const wait = view.typicalWaitMs ?? (view.waiting ? UNKNOWN_WAIT_MS : PROBE_WAIT_MS)
  const turnMs = ownTurnMs(state, wait) ?? (COURTESY_LEAST + COURTESY_SPREAD * random.next()) * wait
  return Math.max(0, turnMs - state.sinceYieldMs)
}

/** Where waits are long, they change more from one to the next than they differ. */
function ownTurnMs({ turnMs }: Pick<NewcomerState, 'turnMs'>, waitMs: number): number | undefined {
  if (turnMs === undefined || Math.max(turnMs, waitMs) > LONG_WAIT_MS) return undefined
  return TURN_SHARE * ((1 - OTHERS_WEIGHT) * turnMs + OTHERS_WEIGHT * waitMs)
}

export interface WaitingState extends Known {
  /** Since it wanted a slot: courtesy included. */
  readonly waitedMs: number
  /** It stayed away for a turn of its own: the one before, in milliseconds; undefined where it did not. */
  readonly turnMs: number | undefined
  /** Attempts made so far; at least 1. */
  readonly attempts: number
  /** What the last attempt took. */
  readonly attemptMs: number
  /** It ended for want of a slot, and not because nobody answered. */
  readonly refused: boolean
  /** Until the deadline. */
  readonly leftMs: number
}

/**
 * How long to wait before the next attempt, or undefined when none is left. Where the fleet's wait
 * is known, attempts densify with age, so that the queue is nearly first come, first served; where
 * it is not, full jitter over a growing window. Denser towards the deadline in any case, and never past
 * it: one last attempt is made shortly before.
 */
export function nextDelayMs(state: WaitingState, limits: PolicyLimits, random: Random): number | undefined {
  if (state.leftMs <= MIN_DELAY_MS) return undefined
  const known = knownWaitMs(state)
  let delayMs: number
  if (known !== undefined && known > 0) {
    const age = clamp(known / Math.max(state.waitedMs, 1), 0.25, 2)
    delayMs = (known / askingOf(state, known).polls) * age * (0.5 + random.next())
  } else {
    const growing = limits.backoffBaseMs * 1.6 ** Math.min(state.attempts, 32)
    const window = Math.min(limits.backoffCapMs, growing, Math.max(state.leftMs / 8, limits.backoffBaseMs))
    const hurries = state.waitedMs > HURRY_FROM_MS && state.waitedMs < HURRY_UNTIL_MS
    delayMs = (window / 2 + random.next() * window) * (hurries ? HURRY_DELAY_SHARE : 1)
  }
  delayMs = Math.min(delayMs, Math.max(state.leftMs * REST_SHARE, MIN_REST_SHARE_MS))
  // Who started together was refused together, and is not to ask together again.
  const restShare = state.attempts === 1 ? 0.5 + random.next() : 1
  delayMs = Math.max(delayMs, MIN_DELAY_MS, restShare * restMs(state, known, limits))
  const latestMs = state.leftMs - LAST_ATTEMPT_MS
  if (latestMs > 0) return Math.min(delayMs, latestMs)
  // Within the last stretch: halve what is left, so that there is time to be let in.
  return Math.min(delayMs, state.leftMs / 2)
}

function askingOf(state: WaitingState, knownMs: number | undefined): Asking {
  if (knownMs === undefined || ownTurnMs(state, knownMs) === undefined) return USUAL_ASKING
  return state.waitedMs < IN_TURN_WAITS * knownMs ? ASKING_IN_TURN : USUAL_ASKING
}

/** Where the waits are longer than knowledge usually lasts, it lasts longer. */
function knownWaitMs({ view, viewAgeMs }: Known): number | undefined {
  const typicalMs = view?.typicalWaitMs
  return viewAgeMs <= Math.max(STALE_VIEW_MS, 2 * (typicalMs ?? 0)) ? typicalMs : undefined
}

/** A first attempt may be slow for being cold, which says nothing of the server. */
function restMs(state: WaitingState, usualMs: number | undefined, { backoffCapMs }: PolicyLimits): number {
  const { attempts, attemptMs, refused, waitedMs, leftMs } = state
  const age = (usualMs ?? USUAL_WAIT_MS) / Math.max(waitedMs, 1)
  const duty = askingOf(state, usualMs).duty * clamp(age, REST_AGE_LEAST, REST_AGE_MOST)
  const usualRestMs = duty * Math.min(attemptMs, backoffCapMs)
  if (attempts === 1) return Math.min(usualRestMs, backoffCapMs)
  if (!refused) return usualRestMs
  const slowRestMs = (duty * attemptMs ** 2) / SLOW_REFUSAL_MS
  return Math.max(usualRestMs, Math.min(slowRestMs, SLOW_REST_SHARE * leftMs))
}
