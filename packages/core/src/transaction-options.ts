/** How a transaction is to be run, as users say it. */

import { invalidOptions } from './errors.ts'

export type Isolation = 'read uncommitted' | 'read committed' | 'repeatable read' | 'serializable'

/** How a transaction is to be begun. */
export interface TransactionMode {
  /** @defaultValue the server's own default */
  readonly isolation?: Isolation | undefined
  /** The server refuses writes inside. @defaultValue false */
  readonly readOnly?: boolean | undefined
}

export interface TransactionOptions extends TransactionMode {
  /**
   * How often the whole function may run again, from `BEGIN`, after it lost a race with another
   * transaction: serialization failure, deadlock, lock wait timeout. A whole number, 0 to 100; 0 never
   * runs it again. Nothing else makes it run again.
   * @defaultValue 5
   */
  readonly retries?: number | undefined
  /**
   * No further run is begun after this, nor after the end of the invocation where that is known.
   * Milliseconds, 1 to 900 000. Does not cut off a run that is under way: `signal` does.
   * @defaultValue 10000, or what is left of the invocation where that is known
   */
  readonly timeoutMs?: number | undefined
  /**
   * Aborting cancels the statement that is running, rolls back, and rejects with the signal's reason. Once
   * COMMIT is sent it does nothing: the outcome is told.
   */
  readonly signal?: AbortSignal | undefined
}

const ISOLATIONS: readonly string[] = [
  'read uncommitted',
  'read committed',
  'repeatable read',
  'serializable',
]
const MOST_RETRIES = 100
const MOST_TIMEOUT_MS = 900_000

/** @throws LeaseholdError `INVALID_OPTIONS` with every problem, one a line */
export function checkOptions({ isolation, retries, timeoutMs, readOnly }: TransactionOptions): void {
  const problems: string[] = []
  if (isolation !== undefined && !ISOLATIONS.includes(isolation)) {
    problems.push(`\`isolation\` must be ${ISOLATIONS.map((name) => `'${name}'`).join(', ')}`)
  }
  if (readOnly !== undefined && typeof readOnly !== 'boolean')
    problems.push('`readOnly` must be true or false')
  if (retries !== undefined && !isWholeNumber(retries, 0, MOST_RETRIES)) {
    problems.push(`\`retries\` must be a whole number from 0 to ${MOST_RETRIES}`)
  }
  if (timeoutMs !== undefined && !isWholeNumber(timeoutMs, 1, MOST_TIMEOUT_MS)) {
    problems.push(`\`timeoutMs\` must be a whole number of milliseconds from 1 to ${MOST_TIMEOUT_MS}`)
  }
  if (problems.length > 0) throw invalidOptions(...problems)
}

/** A transaction inside a transaction has no options of its own. */
export function checkNestedOptions(options: TransactionOptions): void {
  const problems = Object.entries(options)
    .filter(([, value]) => value !== undefined)
    .map(([name]) => `\`${name}\` belongs to the outermost transaction, not to one inside it`)
  if (problems.length > 0) throw invalidOptions(...problems)
}

function isWholeNumber(value: number, min: number, max: number): boolean {
  return Number.isInteger(value) && value >= min && value <= max
}
