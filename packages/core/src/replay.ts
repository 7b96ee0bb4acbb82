/**
 * PURE: what becomes of a statement that failed. It is sent again only where the server proved that it did
 * not read it, or where the caller said that it may run twice; and a doubt, once there, is always told.
 */

import type { Random } from './random.ts'

/**
 * What a failure means for the statement.
 *
 * - `unsent`: no connection was to be had
 * - `unread`: the connection was lost, and the server proved that it had not read the statement
 * - `ambiguous`: the connection was lost, and nobody knows whether it ran
 * - `refused`: it did not run, and another time or place may take it: a lost race, a read-only server
 * - `answered`: the server's own word on it; sending it again would not help
 */
export type Failure = 'unsent' | 'unread' | 'ambiguous' | 'refused' | 'answered'

export interface FailedStatement {
  readonly failure: Failure
  /** The caller said that it may run twice. */
  readonly idempotent: boolean
  /** How often it has been sent; at least 1. */
  readonly sentCount: number
  /** An earlier sending may have run. */
  readonly mayHaveRun: boolean
  /** Before the next sending. */
  readonly delayMs: number
  /** Within which another sending may begin. */
  readonly leftMs: number
}

export interface Fate {
  readonly resend: boolean
  /** Some sending, this one or one before, may have run. */
  readonly mayHaveRun: boolean
}

export function fateOf(failed: FailedStatement): Fate {
  const { failure, idempotent, sentCount, delayMs, leftMs } = failed
  const mayHaveRun = failed.mayHaveRun || failure === 'ambiguous'
  const isSafe = failure === 'unread' && !mayHaveRun
  const mayRunTwice = idempotent && failure !== 'unsent' && failure !== 'answered'
  // The first is free: a session that ended while it sat idle is no trouble of the server's.
  const inTime = (failure === 'unread' && sentCount === 1) || leftMs > delayMs
  return { resend: (isSafe || mayRunTwice) && inTime, mayHaveRun }
}

/** Before the statement is sent once more: at once the first time, then in growing steps with jitter. */
export function replayDelayMs(
  sentCount: number,
  limits: { readonly backoffBaseMs: number; readonly backoffCapMs: number },
  random: Random,
): number {
  if (sentCount === 1) return 0
  const windowMs = Math.min(limits.backoffBaseMs * 2 ** Math.min(sentCount - 2, 32), limits.backoffCapMs)
  return windowMs * (0.5 + random.next())
}
