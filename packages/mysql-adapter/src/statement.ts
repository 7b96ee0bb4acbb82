/** One statement: what the application says of it beyond the driver's own options. */

import { type Governor, LeaseholdError, type StatementLimits } from '@leasehold/core'

import type { DriverCommand } from './driver.ts'

/** Stand in the options object of a query, beside `sql` and `values`. */
export interface StatementOptions {
  /**
   * The statement may run twice: a pool sends it again, on another connection, where its own was lost. Only
   * the `query` and `execute` of a pool do, by callback and by promise; on a connection that the application
   * holds, and from a stream, nothing is ever sent again. What is sent again is what was given: lists and
   * plain objects are copied, what they hold is not.
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
   * that is known. Does nothing to a stream. The driver's `timeout` stays what it is: it gives the caller an
   * error, and lets the statement run on.
   * @defaultValue the pool's `queryTimeoutMs`
   */
  readonly queryTimeoutMs?: number | undefined
}

export type StatementMethod = 'query' | 'execute'
export const STATEMENT_METHODS: readonly StatementMethod[] = ['query', 'execute']

export type StatementCallback = (error: Error | null, rows?: unknown, fields?: unknown) => void
/** The driver's `query` and `execute`, in every form that they have. */
export type Send = (...given: [sql: unknown, values?: unknown, callback?: unknown]) => unknown
/** What the driver's callback gets of a success, as one value. */
export type Answer = readonly [rows: unknown, fields: unknown]

const NO_OPTIONS: StatementOptions = Object.freeze({})
const NO_LIMITS: StatementLimits = Object.freeze({})

/** The callback of a statement, wherever it stands; undefined in stream style. */
export function callbackIn(values: unknown, callback: unknown): StatementCallback | undefined {
  const last = typeof values === 'function' ? values : callback
  return typeof last === 'function' ? (last as StatementCallback) : undefined
}

/** Passes on as many arguments as there are: instrumentations count them. */
export function sendWith(send: Send, sql: unknown, values: unknown, answer: StatementCallback): unknown {
  return values === undefined ? send(sql, answer) : send(sql, values, answer)
}

/** What the driver makes of a statement, and takes as one: it has been through our hands before. */
export function isCommand(sql: unknown): sql is DriverCommand {
  return typeof (sql as { start?: unknown } | null | undefined)?.start === 'function'
}

export function optionsIn(sql: unknown): StatementOptions {
  return typeof sql === 'object' && sql !== null ? sql : NO_OPTIONS
}

/** @throws LeaseholdError `INVALID_OPTIONS` */
export function limitsIn(governor: Governor, sql: unknown): StatementLimits | undefined {
  const { signal, queryTimeoutMs: timeoutMs } = optionsIn(sql)
  if (signal === undefined && timeoutMs === undefined) return governor.limitsOf(NO_LIMITS)
  if (
    signal !== undefined &&
    typeof (signal as Partial<AbortSignal> | null)?.addEventListener !== 'function'
  ) {
    throw invalid('`signal` must be an AbortSignal')
  }
  return governor.limitsOf({ timeoutMs, signal })
}

export function invalid(problem: string): LeaseholdError {
  return new LeaseholdError('INVALID_OPTIONS', `invalid options:\n - ${problem}`)
}
