/** PURE: how long a wait or a statement may take, by its own options and by the end of the invocation. */

import { invalidOptions } from './errors.ts'
import { FIELDS } from './options/fields.ts'
import { check } from './options/resolve.ts'
import type { StatementLimits } from './stopping.ts'

/** How long a request may wait for a connection. At least one millisecond: the first attempt is made. */
export function acquireLimitMs(acquireTimeoutMs: number, spendableMs: number | undefined): number {
  return Math.max(1, Math.min(acquireTimeoutMs, spendableMs ?? acquireTimeoutMs))
}

/**
 * The limits of one statement; undefined where it has none.
 *
 * @param poolTimeoutMs `queryTimeoutMs` of the pool, for a statement without one of its own
 * @throws LeaseholdError `INVALID_OPTIONS`
 */
export function statementLimits(
  { timeoutMs: ownTimeoutMs, signal }: StatementLimits,
  poolTimeoutMs: number,
  spendableMs: number | undefined,
): StatementLimits | undefined {
  if (ownTimeoutMs !== undefined) checkTimeout(ownTimeoutMs)
  const timeoutMs = ownTimeoutMs ?? poolTimeoutMs
  if (spendableMs !== undefined) {
    const endMs = Math.max(1, Math.ceil(spendableMs))
    return { timeoutMs: timeoutMs === 0 ? endMs : Math.min(timeoutMs, endMs), signal }
  }
  return timeoutMs === 0 && signal === undefined ? undefined : { timeoutMs, signal }
}

function checkTimeout(timeoutMs: unknown): void {
  const field = FIELDS['queryTimeoutMs']
  const problem = field === undefined ? undefined : check('queryTimeoutMs', field, timeoutMs)
  if (problem !== undefined) throw invalidOptions(problem)
}
