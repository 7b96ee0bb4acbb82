/** Whether a doubtful connection is still there: a question with a deadline, before a request has to ask. */

import { type Clock, Moment } from './clock.ts'
import type { GovernedConnection } from './connection.ts'
import { within } from './deadline.ts'
import type { Observations } from './observations.ts'
import type { Stats } from './stats.ts'

/** A ping has no longer than this: what takes longer is a black hole, and a request waits. */
const PING_LIMIT_MS = 1_000

export interface AnswersParts {
  readonly clock: Clock
  readonly options: { readonly connectTimeoutMs: number; readonly pingAfterIdleMs: number }
  readonly stats: Stats
  readonly observations: Observations
}

/** Resolves to whether it answers; never rejects, never takes longer than a ping may. */
export async function answers(
  { clock, observations, options, stats }: AnswersParts,
  governed: GovernedConnection,
): Promise<boolean> {
  const limitMs = Math.min(options.connectTimeoutMs, PING_LIMIT_MS)
  try {
    const pending = governed.checking
    if (pending !== undefined) {
      const answered = await within(clock, limitMs, 'a census', () => pending)
      if (!answered || governed.spoilt) return false
      // Sent before a freeze, its answer has waited; the session may not have.
      if (governed.lease.idleMs() <= options.pingAfterIdleMs) return true
    }
    stats.pinged += 1
    const sent = new Moment(clock)
    await within(clock, limitMs, 'a ping', () => governed.hands.ping())
    governed.lease.touchSince(sent)
    observations.pinged(governed, sent.elapsedMs(clock))
    return true
  } catch {
    return false
  }
}
