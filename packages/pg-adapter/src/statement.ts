/** One statement: what the application says of it beyond the driver's own options, and where it is now. */

import { type Governor, LeaseholdError, type StatementLimits } from '@leasehold/core'

import type { DriverClient, DriverQuery, QueryCallback } from './driver.ts'

/** Stand in the query's config object, beside `text` and `values`. */
export interface StatementOptions {
  /**
   * The statement may run twice: a pool sends it again, on another connection, where its own was lost. Only
   * `pool.query` does; on a client that the application holds nothing is ever sent again. What is sent again
   * is what was given: lists and plain objects are copied, what they hold is not.
   * @defaultValue false: sent again only where the server proved that it did not read it
   */
  readonly idempotent?: boolean | undefined
  /**
   * Aborting cancels the statement on the server and rejects with the signal's reason. A statement that
   * still waits is never sent.
   * @defaultValue none
   */
  readonly signal?: AbortSignal | undefined
  /**
   * A statement that takes longer is cancelled on the server, and rejects with `QUERY_TIMEOUT`. Counted from
   * when it is given to its connection: what stands before it in that connection's queue counts, the wait for
   * a connection does not. Milliseconds, 0 to 900 000; 0 is no limit but the end of the invocation, where
   * that is known.
   * @defaultValue the pool's `queryTimeoutMs`
   */
  readonly queryTimeoutMs?: number | undefined
}

const MOST_TIMEOUT_MS = 900_000
const NO_LIMITS: StatementLimits = Object.freeze({})

/** A cursor or a stream, which runs itself: passed through as it is. */
export function isSubmittable(config: unknown): boolean {
  return typeof (config as { submit?: unknown } | null | undefined)?.submit === 'function'
}

/** The callback of a query, wherever the driver takes it from; undefined in promise style. */
export function callbackIn(config: unknown, values: unknown, callback: unknown): QueryCallback | undefined {
  const own = (config as { callback?: unknown } | null | undefined)?.callback
  for (const candidate of [callback, values, own]) {
    if (typeof candidate === 'function') return candidate as QueryCallback
  }
  return undefined
}

/** Older drivers write the callback into the config, where the application's next use of it would find ours. */
export function copyOf(config: unknown): unknown {
  if (typeof config !== 'object' || config === null) return config
  return Object.create(
    Object.getPrototypeOf(config) as object | null,
    Object.getOwnPropertyDescriptors(config),
  ) as unknown
}

/** What is wrong with our options of a statement, or undefined. */
export function problemIn(config: unknown): LeaseholdError | undefined {
  if (typeof config !== 'object' || config === null) return undefined
  const { idempotent, queryTimeoutMs, signal } = config as StatementOptions
  if (idempotent === undefined && queryTimeoutMs === undefined && signal === undefined) return undefined
  const problems: string[] = []
  if (idempotent !== undefined && typeof idempotent !== 'boolean') {
    problems.push('`idempotent` must be true or false')
  }
  if (queryTimeoutMs !== undefined && !isTimeout(queryTimeoutMs)) {
    problems.push(
      `\`queryTimeoutMs\` must be a whole number of milliseconds from 0 to ${MOST_TIMEOUT_MS}, got ${String(queryTimeoutMs)}`,
    )
  }
  if (
    signal !== undefined &&
    typeof (signal as Partial<AbortSignal> | null)?.addEventListener !== 'function'
  ) {
    problems.push('`signal` must be an AbortSignal')
  }
  return problems.length === 0 ? undefined : invalid(problems.join('\n - '))
}

function isTimeout(timeoutMs: number): boolean {
  return Number.isInteger(timeoutMs) && timeoutMs >= 0 && timeoutMs <= MOST_TIMEOUT_MS
}

/** The limits of a statement whose options are sound; undefined where it has none. */
export function limitsIn(governor: Governor, config: unknown): StatementLimits | undefined {
  if (typeof config !== 'object' || config === null) return governor.limitsOf(NO_LIMITS)
  const { signal, queryTimeoutMs: timeoutMs } = config as StatementOptions
  if (signal === undefined && timeoutMs === undefined) return governor.limitsOf(NO_LIMITS)
  return governor.limitsOf({ timeoutMs, signal })
}

export function invalid(problem: string): LeaseholdError {
  return new LeaseholdError('INVALID_OPTIONS', `invalid options:\n - ${problem}`)
}

/** What waits on the client to be sent. Older drivers name it otherwise; newer ones warn at that name. */
export function queueOf(client: DriverClient): DriverQuery[] {
  return client._queryQueue ?? client.queryQueue
}

/** What the server is answering on the client, or undefined. */
export function activeQueryOf(client: DriverClient): DriverQuery | undefined {
  return ('_activeQuery' in client ? client._activeQuery : client.activeQuery) ?? undefined
}

export function forgetActiveQuery(client: DriverClient): void {
  if ('_activeQuery' in client) client._activeQuery = null
  else client.activeQuery = null
}

/** The query that the driver has just been given. Undefined where it took none. */
export function newestQueryOf(client: DriverClient): DriverQuery | undefined {
  if (!client._queryable || client._ending) return undefined
  return queueOf(client).at(-1) ?? client._sentQueryQueue?.at(-1) ?? activeQueryOf(client)
}
