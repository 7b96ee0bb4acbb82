/** What the application may say of one statement, beside the driver's own options: the same on every driver. */

import { invalidOptions, type LeaseholdError } from './errors.ts'
import { FIELDS } from './options/fields.ts'
import { check } from './options/resolve.ts'
import type { StatementLimits } from './stopping.ts'

/** Stand in the statement's own object, beside its text and values. */
export interface StatementOptions {
  /**
   * The statement may run twice: a pool sends it again, on another connection, where its own was lost. Only
   * the pool's own methods do; on a connection that the application holds, and from a stream, nothing is ever
   * sent again. What is sent again is what was given: lists and plain objects are copied, what they hold is
   * not.
   * @defaultValue false: sent again only where the server proved that it did not read it
   */
  readonly idempotent?: boolean | undefined
  /**
   * Aborting cancels the statement on the server and rejects with the signal's reason. A statement that
   * still waits is never sent. Does nothing to a stream.
   * @defaultValue none
   */
  readonly signal?: AbortSignal | undefined
  /**
   * A statement that takes longer is cancelled on the server, and rejects with `QUERY_TIMEOUT`. Counted from
   * when it is given to its connection: what stands before it in that connection's queue counts, the wait for
   * a connection does not. Milliseconds, 0 to 900 000; 0 is no limit but the end of the invocation, where
   * that is known. Does nothing to a stream. The driver's own time limits stay what they are: they give the
   * caller an error, and let the statement run on.
   * @defaultValue the pool's `queryTimeoutMs`
   */
  readonly queryTimeoutMs?: number | undefined
}

const NO_OPTIONS: StatementOptions = Object.freeze({})
const NO_LIMITS: StatementLimits = Object.freeze({})

/** @param statement as the driver takes it: a text, or an object */
export function statementOptionsIn(statement: unknown): StatementOptions {
  return typeof statement === 'object' && statement !== null ? statement : NO_OPTIONS
}

/** `INVALID_OPTIONS` for our options of a statement, or undefined where they are sound. */
export function statementProblem(statement: unknown): LeaseholdError | undefined {
  const { idempotent, queryTimeoutMs, signal } = statementOptionsIn(statement)
  if (idempotent === undefined && queryTimeoutMs === undefined && signal === undefined) return undefined
  const problems: string[] = []
  if (idempotent !== undefined && typeof idempotent !== 'boolean')
    problems.push('`idempotent` must be true or false')
  const field = FIELDS['queryTimeoutMs']
  const wrong =
    queryTimeoutMs === undefined || field === undefined
      ? undefined
      : check('queryTimeoutMs', field, queryTimeoutMs)
  if (wrong !== undefined) problems.push(wrong)
  if (signal !== undefined && !isSignal(signal)) problems.push('`signal` must be an AbortSignal')
  return problems.length === 0 ? undefined : invalidOptions(...problems)
}

/**
 * The limits of a statement, from its own options and the pool's; undefined where it has none.
 *
 * @throws LeaseholdError `INVALID_OPTIONS`
 */
export function limitsIn(
  governor: { limitsOf(own: StatementLimits): StatementLimits | undefined },
  statement: unknown,
): StatementLimits | undefined {
  const problem = statementProblem(statement)
  if (problem !== undefined) throw problem
  const { signal, queryTimeoutMs: timeoutMs } = statementOptionsIn(statement)
  if (signal === undefined && timeoutMs === undefined) return governor.limitsOf(NO_LIMITS)
  return governor.limitsOf({ timeoutMs, signal })
}

function isSignal(value: unknown): boolean {
  return typeof (value as Partial<AbortSignal> | null)?.addEventListener === 'function'
}
