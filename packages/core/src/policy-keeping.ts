/** PURE: whether to keep a connection after the response, and for how long to hold it at least. */

import { censusIntervalMs, type FleetView } from './census.ts'
import {
  calm,
  clamp,
  contended,
  LONG_WAIT_MS,
  mostlyIdle,
  type PolicyLimits,
  STALE_VIEW_MS,
} from './policy.ts'
import type { Random } from './random.ts'

/** A connection is held at least this long under contention: every hand-over costs a connect. */
const MIN_QUANTUM_MS = 400
/** And for as long as so many connects take, but no longer than the most: others wait meanwhile. */
const QUANTUM_CONNECTS = 18
const MAX_QUANTUM_MS = 500
const QUANTUM_SPREAD = 0.1
/** The first quantum of whoever found a free slot is shorter by chance: those who start together must not yield together. */
const FIRST_QUANTUM_LEAST = 0.3
/** Where newcomers wait for long, quanta shrink as the waits grow, to so much at the least. */
const LONG_WAIT_SHARE = 0.5
/** Holders look again after this share of their quantum, or later where they are many: together 250 times a second. */
const LOOK_SHARE = 0.4
const LOOK_MS_A_SESSION = 4
/** Slots found plenty are believed in for so long by whoever started just now, */
const YOUNG_CALM_MS = 300
/** and for so long by the others while newcomers had to wait lately. */
const WAITING_CALM_MS = 500
/** While nobody is known to wait, each holder looks so often. */
const LOOK_AROUND_MS = 1_000
/** A first session so young is of a fleet that starts: those who came too late are outside, where nobody sees them. */
const YOUNG_MS = 1_500
/** An environment whose gaps between requests cost more than a hand-over gives its slot up at once: so many connects. */
const LONG_GAP_CONNECTS = 6
const MIN_LONG_GAP_MS = 50
/** What a session learnt while it waited for its slot is news of the queue for so long. */
const QUEUE_NEWS_MS = 1_500
/** To have waited out of courtesy alone proves no queue: a census is believed for so many of the waits that it told, or this. */
const COURTESY_NEWS_WAITS = 2
const COURTESY_NEWS_MS = 500
/** While somebody waits, so much of the slots is kept free: newcomers ask now and then, and are refused less often. */
const SPARE_SHARE = 0.05
/** With the server full and nobody known to wait, one holder in so often makes room to find out. */
const PROBE_EVERY_MS = 600

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
export function longGapMs(connectMs: number): number {
  return Math.max(MIN_LONG_GAP_MS, LONG_GAP_CONNECTS * connectMs)
}

/**
 * How long a census is believed by a holder that found slots plenty, in milliseconds. Where newcomers had to wait lately, or
 * the fleet may only just be starting, that may be over in a moment.
 *
 * @param isYoung it was taken on an environment's first session, opened just now
 */
export function calmForMs(view: FleetView, censusEveryMs: number, isYoung: boolean): number {
  const everyMs = censusIntervalMs(censusEveryMs, view.usedCount)
  if (!view.waiting && !isYoung) return everyMs
  const lookEveryMs = Math.max(isYoung ? YOUNG_CALM_MS : WAITING_CALM_MS, LOOK_MS_A_SESSION * view.usedCount)
  return Math.min(everyMs, lookEveryMs)
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
  return refused || viewAgeMs <= Math.max(COURTESY_NEWS_MS, COURTESY_NEWS_WAITS * (view.typicalWaitMs ?? 0))
}

/** The session had to wait just now, and no census since then found slots plenty. */
function isNews({ view, viewAgeMs, queued, heldMs }: HolderState, limits: PolicyLimits): boolean {
  if (!queued || heldMs > QUEUE_NEWS_MS) return false
  return view === undefined || viewAgeMs > heldMs || !calm(view, limits)
}

/** The first session of an environment, and opened just now. */
export function young({ first, heldMs }: Pick<HolderState, 'first' | 'heldMs'>): boolean {
  return first && heldMs < YOUNG_MS
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
  const isYoung = young(state)
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
