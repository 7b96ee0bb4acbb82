/** What one census found, and what follows from it for the policy. */

import { parseLabel } from './label.ts'

/** Whose limit it is: all sessions', one database's, or one login's (a role or an account). */
export type LimitOf = 'server' | 'database' | 'login'

/** One of the limits that the server holds a connect against. */
export interface SlotLimit {
  readonly of: LimitOf
  /** Sessions that count against it, other applications' included. */
  readonly usedCount: number
  /** How many it allows: less what is reserved. */
  readonly slotCount: number
}

/** Used and free slots as the server counts them, by the limit under the most pressure. */
export interface Census {
  /** Sessions that take a slot, other applications' included. */
  readonly usedCount: number
  /** What is open to the application: the limit less what is reserved. At least 1. */
  readonly slotCount: number
  /** Whose limit that is. @defaultValue `server` */
  readonly limit?: LimitOf
  /**
   * How many sessions more the server would take from this login: of all its limits, not only the one
   * under the most pressure.
   *
   * @defaultValue `slotCount` less `usedCount`, and 0 where that is negative
   */
  readonly freeCount?: number
  /** Labels of the sessions that carry one, where the server shows them. */
  readonly labels: readonly string[]
  /** How long newcomers of the fleet had to wait lately, each length once, where the server tells it otherwise than by labels. */
  readonly waitsMs?: readonly number[]
  /** Of the sessions that the server shows the state of, how many run a statement now, besides the one that asks: 0 to 1. */
  readonly busyShare?: number | undefined
  /** How many connects the server has refused since it started, where it counts them. */
  readonly refusedCount: number | undefined
}

/** The newest census as the policy sees it. Times are relative to the census. */
export interface FleetView {
  readonly usedCount: number
  readonly slotCount: number
  /** Whose limit these are: the one under the most pressure. */
  readonly limit?: LimitOf
  /** How many sessions more the server would take from this login. */
  readonly freeCount?: number
  /** Our fleet's own sessions, or undefined where the server does not show all of them. */
  readonly fleetCount: number | undefined
  /** The share of sessions that run a statement now; undefined when unknown. */
  readonly busyShare?: number | undefined
  /** Newcomers had to wait lately: somebody outside is asking for a slot. */
  readonly waiting: boolean
  /** How long newcomers had to wait, on average; undefined when unknown. */
  readonly typicalWaitMs: number | undefined
}

/** Nobody plans by a longer wait than this, whatever a label says. */
const MAX_WAIT_MS = 10_000

/** A newcomer's wait counts as evidence for this long after it was let in. */
const EVIDENCE_WINDOW_MS = 2_000

/** What a census says of `limits`, of which there is at least one. */
export function tightest(
  limits: readonly [SlotLimit, ...SlotLimit[]],
): Required<Pick<Census, 'usedCount' | 'slotCount' | 'limit' | 'freeCount'>> {
  let [most] = limits
  for (const limit of limits) if (pressureOf(limit) > pressureOf(most)) most = limit
  // The most pressed need not have the fewest free: 8 of 10 are two free, 100 of 103 are three.
  const freeCount = Math.min(...limits.map(freeOf))
  return { usedCount: most.usedCount, slotCount: Math.max(1, most.slotCount), limit: most.of, freeCount }
}

type Counts = Pick<FleetView, 'usedCount' | 'slotCount'>

function freeOf({ usedCount, slotCount }: Counts): number {
  return Math.max(0, slotCount - usedCount)
}

/**
 * The share of the other sessions that are at work: the one that asks is busy with it. Undefined where it sees no other.
 *
 * @param seenCount of whose state the server tells
 */
export function shareOfOthers(busyCount: number, seenCount: number): number | undefined {
  // Threads of the server's own may count as busy.
  return seenCount > 1 ? Math.min(Math.max(busyCount - 1, 0) / (seenCount - 1), 1) : undefined
}

/**
 * Reads the fleet's state out of a census.
 *
 * @param previousRefusedCount of the census before, to see whether refusals happened in between
 */
export function viewOf(
  census: Census,
  fleet: string,
  nowEpochMs: number,
  previousRefusedCount: number | undefined,
): FleetView {
  let fleetCount = 0
  let waitedSumMs = 0
  let waitedCount = 0
  for (const text of census.labels) {
    const label = parseLabel(text)
    if (label === undefined || label.fleet !== fleet) continue
    fleetCount += 1
    // Whole seconds in the label: a session of this very second may look up to 1 s older than it is.
    // From the far future it is of a wrong clock, and would be evidence until that time comes.
    const ageMs = nowEpochMs - label.openedEpochMs
    if (label.waitedMs > 0 && Math.abs(ageMs) < EVIDENCE_WINDOW_MS + 1_000) {
      waitedSumMs += Math.min(label.waitedMs, MAX_WAIT_MS)
      waitedCount += 1
    }
  }
  for (const waitMs of census.waitsMs ?? []) {
    waitedSumMs += Math.min(waitMs, MAX_WAIT_MS)
    waitedCount += 1
  }
  const refusals =
    census.refusedCount !== undefined && previousRefusedCount !== undefined
      ? census.refusedCount - previousRefusedCount
      : 0
  return {
    usedCount: census.usedCount,
    slotCount: Math.max(1, census.slotCount),
    limit: census.limit ?? 'server',
    freeCount: census.freeCount ?? freeOf(census),
    fleetCount: census.labels.length > 0 ? fleetCount : undefined,
    busyShare: census.busyShare,
    waiting: waitedCount > 0 || refusals > 0,
    typicalWaitMs: waitedCount > 0 ? waitedSumMs / waitedCount : undefined,
  }
}

/** Up to so many sessions an environment counts as often as its options say. */
const CHEAP_COUNT = 200

/**
 * How long to leave it after a census that found `usedCount` sessions. The server reads all of them for each census,
 * and there are as many environments that take some: at a fixed interval the bill grows with the square of the
 * fleet's size. Beyond 200 sessions the interval grows with them, and so the bill as the fleet does.
 */
export function censusIntervalMs(censusEveryMs: number, usedCount: number): number {
  return censusEveryMs * Math.max(1, usedCount / CHEAP_COUNT)
}

/** Used slots / slots. May exceed 1 while privileged logins sit in reserved slots. */
export function pressureOf({ usedCount, slotCount }: Counts): number {
  return usedCount / Math.max(1, slotCount)
}
