/**
 * PURE: from what is known to what to do. No I/O, no clock, no randomness but what is passed in.
 * The product and the simulator run these same functions.
 */

import { type FleetView, pressureOf } from './census.ts'
import type { Random } from './random.ts'

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
/** A connection is held at least this long under contention: every hand-over costs a connect. */
const MIN_QUANTUM_MS = 400
/** And for as long as so many connects take, but no longer than the most: others wait meanwhile. */
const QUANTUM_CONNECTS = 30
const MAX_QUANTUM_MS = 500
const QUANTUM_SPREAD = 0.1
/** The first quantum of whoever found a free slot is shorter by chance: those who start together must not yield together. */
const FIRST_QUANTUM_LEAST = 0.3
/** Where newcomers wait longer than this, quanta shrink as the waits grow, to half at the least: deadlines are near. */
const LONG_WAIT_MS = 2_000
const LONG_WAIT_SHARE = 0.5
/** Holders look again after this share of their quantum, or later where they are many: together 250 times a second. */
const LOOK_SHARE = 0.4
const LOOK_MS_A_SESSION = 4
/** While nobody is known to wait, each holder looks so often. */
const LOOK_AROUND_MS = 1_000
/** A first session so young is of a fleet that starts: those who came too late are outside, where nobody sees them. */
const YOUNG_MS = 1_500
/** An environment whose gaps between requests cost more than a hand-over gives its slot up at once: so many connects. */
const LONG_GAP_CONNECTS = 6
const MIN_LONG_GAP_MS = 50
/** Where a smaller share of the sessions runs a statement, slots are short because of environments that are used rarely. */
const IDLE_SHARE = 0.15
/** Knowledge older than this is no longer acted upon: under contention each environment counts so often, and waits tell the rest. */
const STALE_VIEW_MS = 8_000
/** Whoever has yielded longer ago owes no courtesy. */
const LATELY_YIELDED_MS = 5_000
/** With more than a fifth of the slots free nobody waits for one, whatever sessions say of what was. */
const ROOMY_PRESSURE = 0.8
/** What a session learnt while it waited for its slot is news of the queue for so long. */
const QUEUE_NEWS_MS = 1_500
/** To have waited out of courtesy alone proves no queue: a census is believed for as long as the wait that it told, or this. */
const COURTESY_NEWS_MS = 500
/** While somebody waits, so much of the slots is kept free: newcomers ask now and then, and are refused less often. */
const SPARE_SHARE = 0.05
/** With the server full and nobody known to wait, one holder in so often makes room to find out. */
const PROBE_EVERY_MS = 600
/** And leaves it free for so long: a newcomer that knows nothing of the queue asks about this often. */
const PROBE_WAIT_MS = 450
/** Newcomers wait, but the server does not show for how long (MySQL counts refusals only). */
const UNKNOWN_WAIT_MS = 400
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
const POLLS_PER_WAIT = 6
const MIN_DELAY_MS = 20
/** A refused attempt costs the server a fork: rest a multiple of the time it took. */
const REFUSED_DUTY = 8
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
/** A wait of so many usual ones is a late one, of a fleet that has changed meanwhile. */
const LATE_WAITS = 1.9
/** A server that takes longer than this to refuse is drowning in such attempts: the rest grows with the square, */
const SLOW_REFUSAL_MS = 200
/** up to so much of the time that is left. */
const SLOW_REST_SHARE = 1 / 2
/** Of the time that is left, no rest takes more than this share: attempts become denser as the deadline nears. */
const REST_SHARE = 1 / 6
const MIN_REST_SHARE_MS = 60
/** The last attempt is made this long before the deadline. */
const LAST_ATTEMPT_MS = 300

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

/**
 * How long a connection admitted now is held before it may be yielded, in milliseconds. The longer a connect
 * takes, the longer: a server that is out of breath must not spend what it has left on connects.
 *
 * @param connectMs what this environment's connects took lately; 0 when unknown
 * @param isStarter it is the first that this environment has opened, and found a free slot
 */
export function drawQuantumMs(connectMs: number, isStarter: boolean, random: Random): number {
  const quantumMs = clamp(QUANTUM_CONNECTS * connectMs, MIN_QUANTUM_MS, MAX_QUANTUM_MS)
  const drawnMs = quantumMs * (1 - QUANTUM_SPREAD + 2 * QUANTUM_SPREAD * random.next())
  return isStarter ? drawnMs * (FIRST_QUANTUM_LEAST + (1 - FIRST_QUANTUM_LEAST) * random.next()) : drawnMs
}

export interface HolderState {
  /** The newest view, or undefined when no census has been taken yet. */
  readonly view: FleetView | undefined
  readonly viewAgeMs: number
  /** The session had to wait for its slot, refused or out of courtesy. */
  readonly queued: boolean
  /** It was refused at least once meanwhile. */
  readonly refused: boolean
  /** Its wait was a late one. */
  readonly late: boolean
  /** Since the session was opened. */
  readonly heldMs: number
  /** It is the first that this environment has opened. */
  readonly first: boolean
  readonly quantumMs: number
  /** Mean length of this environment's own idle gaps; 0 before the first. */
  readonly gapMs: number
  /** Mean time that its own successful connects took; 0 when unknown. */
  readonly connectMs: number
  /** No decision has been made by this view yet: a probe is allowed, once per census. */
  readonly fresh: boolean
}

/** `look` asks for a census, then for another decision. */
export type Keeping = 'keep' | 'look' | 'yield'

/** A gap longer than this is dearer, in slot time, than closing and connecting again. */
function longGapMs(connectMs: number): number {
  return Math.max(MIN_LONG_GAP_MS, LONG_GAP_CONNECTS * connectMs)
}

/**
 * Whether a session's own wait for its slot says enough of the queue, so that it needs no census: on a new
 * session that is the dearest statement of all.
 */
export function knowsQueue({
  view,
  viewAgeMs,
  queued,
  refused,
  heldMs,
}: Pick<HolderState, 'view' | 'viewAgeMs' | 'queued' | 'refused' | 'heldMs'>): boolean {
  if (!queued || heldMs > QUEUE_NEWS_MS) return false
  if (view === undefined || viewAgeMs > STALE_VIEW_MS || !contended(view)) return false
  return refused || viewAgeMs <= Math.max(COURTESY_NEWS_MS, view.typicalWaitMs ?? 0)
}

/** The session had to wait just now, and no census since then found slots plenty. */
function isNews({ view, viewAgeMs, queued, heldMs }: HolderState, limits: PolicyLimits): boolean {
  if (!queued || heldMs > QUEUE_NEWS_MS) return false
  return view === undefined || viewAgeMs > heldMs || !calm(view, limits)
}

/** What to do with an idle connection after the response. */
export function keeping(state: HolderState, limits: PolicyLimits, random: Random): Keeping {
  const { view } = state
  const isLongGap = state.gapMs > longGapMs(state.connectMs)
  if (isLongGap && isNews(state, limits)) return 'yield'
  if (view === undefined || state.viewAgeMs > STALE_VIEW_MS) return state.fresh ? 'keep' : 'look'
  if (calm(view, limits)) return 'keep'
  if (isLongGap && (contended(view) || mostlyIdle(view))) return 'yield'
  if (state.gapMs === 0 && mostlyIdle(view)) return 'yield'
  if (state.late && state.viewAgeMs <= state.heldMs && mostlyIdle(view)) return 'yield'
  if (state.heldMs < shortened(state.quantumMs, view.typicalWaitMs)) return 'keep'
  if (knowsQueue(state)) return 'yield'
  const isYoung = state.first && state.heldMs < YOUNG_MS
  const newsMs = view.waiting || isYoung ? LOOK_SHARE * state.quantumMs : LOOK_AROUND_MS
  const lookEveryMs = Math.max(newsMs, LOOK_MS_A_SESSION * view.usedCount)
  if (!state.fresh && state.viewAgeMs > lookEveryMs) return 'look'
  const freeCount = view.slotCount - view.usedCount
  if (view.waiting) return freeCount < Math.ceil(SPARE_SHARE * view.slotCount) ? 'yield' : 'keep'
  if (freeCount > 0) return 'keep'
  if (isYoung) return 'yield'
  return state.fresh && random.next() < lookEveryMs / (view.slotCount * PROBE_EVERY_MS) ? 'yield' : 'keep'
}

/** A quantum, where newcomers have to wait for so long. */
function shortened(quantumMs: number, typicalWaitMs = 0): number {
  return quantumMs * clamp(LONG_WAIT_MS / Math.max(typicalWaitMs, 1), LONG_WAIT_SHARE, 1)
}

/** How long a newcomer tells the fleet that it had to wait; 0 when it was let in at once. */
export function publishedWaitMs(waitedMs: number, refusedCount: number, othersWaited: boolean): number {
  if (refusedCount > 0) return waitedMs
  // Made room to find out whether anybody waits, and nobody took it.
  return othersWaited && waitedMs > MIN_DELAY_MS ? waitedMs : 0
}

/** Whether a wait was so much longer than others' that something has changed meanwhile. */
export function isLate(waitedMs: number, view: FleetView | undefined): boolean {
  return view?.typicalWaitMs !== undefined && waitedMs > LATE_WAITS * view.typicalWaitMs
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
function ownTurnMs({ turnMs }: NewcomerState, waitMs: number): number | undefined {
  if (turnMs === undefined || Math.max(turnMs, waitMs) > LONG_WAIT_MS) return undefined
  return TURN_SHARE * ((1 - OTHERS_WEIGHT) * turnMs + OTHERS_WEIGHT * waitMs)
}

export interface WaitingState extends Known {
  /** Since the first attempt. */
  readonly waitedMs: number
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
    delayMs = (known / POLLS_PER_WAIT) * age * (0.5 + random.next())
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

/** Where the waits are longer than knowledge usually lasts, it lasts longer. */
function knownWaitMs({ view, viewAgeMs }: Known): number | undefined {
  const typicalMs = view?.typicalWaitMs
  return viewAgeMs <= Math.max(STALE_VIEW_MS, 2 * (typicalMs ?? 0)) ? typicalMs : undefined
}

/** A first attempt may be slow for being cold, which says nothing of the server. */
function restMs(
  { attempts, attemptMs, refused, waitedMs, leftMs }: WaitingState,
  usualMs: number | undefined,
  { backoffCapMs }: PolicyLimits,
): number {
  const age = (usualMs ?? USUAL_WAIT_MS) / Math.max(waitedMs, 1)
  const duty = REFUSED_DUTY * clamp(age, REST_AGE_LEAST, REST_AGE_MOST)
  const usualRestMs = duty * Math.min(attemptMs, backoffCapMs)
  if (attempts === 1) return Math.min(usualRestMs, backoffCapMs)
  if (!refused) return usualRestMs
  const slowRestMs = (duty * attemptMs ** 2) / SLOW_REFUSAL_MS
  return Math.max(usualRestMs, Math.min(slowRestMs, SLOW_REST_SHARE * leftMs))
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high)
}
