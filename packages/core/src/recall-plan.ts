/** How an engine says, statement by statement, how sessions are recalled: text in, rows back, no I/O. */

import type { LimitOf } from './census.ts'
import type { RecallTerms } from './recall.ts'

/** Which sessions, and how many. */
export interface RecallAsk {
  readonly fleet: string
  /** Of the session that asks: the least that any session must have been idle. */
  readonly terms: RecallTerms
  /** At most so many. */
  readonly mostCount: number
  /** Whose limit is short: sessions that do not count against it are left alone. */
  readonly limit: LimitOf
  /** Nothing is ended while used slots / slots of that limit, as the server counts them in that moment, is not above it. */
  readonly abovePressure: number
  /** Asked between two sessions: false leaves it at those. */
  readonly goOn: () => boolean
}

export interface RecallOutcome {
  readonly endedCount: number
  /** Another environment was at it; nothing was ended. */
  readonly busy: boolean
}

/**
 * Yields one statement after another, is given the rows of each (or its error thrown in), and returns what
 * came of it.
 */
export type RecallPlan = Generator<string, RecallOutcome, readonly unknown[]>

/** Runs a plan to its end. Rejects with the error that the plan did not take. */
export async function runPlan(
  plan: RecallPlan,
  run: (statement: string) => Promise<readonly unknown[]>,
): Promise<RecallOutcome> {
  let step = plan.next()
  while (step.done !== true) {
    const statement = step.value
    const answer = await run(statement).then(
      (rows) => ({ rows }),
      (error: unknown) => ({ error }),
    )
    step = 'rows' in answer ? plan.next(answer.rows) : plan.throw(answer.error)
  }
  return step.value
}
