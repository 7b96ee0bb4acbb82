/** What one census found, and what follows from it for the policy. */

import { parseLabel } from './label.ts'

/** Used and free slots as the server counts them. */
export interface Census {
  /** Sessions that take a slot, other applications' included. */
  readonly usedCount: number
  /** What is open to the application: the server's limit less what is reserved. At least 1. */
  readonly slotCount: number
  /** Labels of all sessions that carry one, where the server shows them. */
  readonly labels: readonly string[]
  /** How many connects the server has refused since it started, where it counts them. */
  readonly refusedCount: number | undefined
}

/** The newest census as the policy sees it. Times are relative to the census. */
export interface FleetView {
  readonly usedCount: number
  readonly slotCount: number
  /** Our fleet's own sessions, or undefined where the server does not show them. */
  readonly fleetCount: number | undefined
  /** Newcomers had to wait lately: somebody outside is asking for a slot. */
  readonly waiting: boolean
  /** How long newcomers had to wait, on average; undefined when unknown. */
  readonly typicalWaitMs: number | undefined
}

/** Nobody plans by a longer wait than this, whatever a label says. */
const MAX_WAIT_MS = 10_000

/** A newcomer's wait counts as evidence for this long after it was let in. */
const EVIDENCE_WINDOW_MS = 2_000

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
  const refusals =
    census.refusedCount !== undefined && previousRefusedCount !== undefined
      ? census.refusedCount - previousRefusedCount
      : 0
  return {
    usedCount: census.usedCount,
    slotCount: Math.max(1, census.slotCount),
    fleetCount: census.labels.length > 0 ? fleetCount : undefined,
    waiting: waitedCount > 0 || refusals > 0,
    typicalWaitMs: waitedCount > 0 ? waitedSumMs / waitedCount : undefined,
  }
}

/** Used slots / slots. May exceed 1 while privileged logins sit in reserved slots. */
export function pressureOf(view: FleetView): number {
  return view.usedCount / view.slotCount
}
