/** The options of a governed pool: the driver's and ours in one object, told apart here. */

import {
  invalidOptions,
  type LeaseholdOptions,
  type ResolvedOptions,
  resolveOptions,
  splitOptions,
} from '@leasehold/core'
import type mysql2 from 'mysql2'

/** Everything `mysql2.createPool` takes, and Leasehold's own options. */
export type PoolOptions = mysql2.PoolOptions & LeaseholdOptions

/** Everything `mysql2.createConnection` takes, and Leasehold's own options. */
export type ConnectionOptions = mysql2.ConnectionOptions & LeaseholdOptions

export interface SplitOptions {
  readonly resolved: ResolvedOptions
  /** What the driver gets: nothing of ours is in it, so it has nothing to complain about. */
  readonly driver: Record<string, unknown>
}

/** The driver's own option names: never taken for a misspelt one of ours. */
const DRIVER_NAMES = [
  'connectTimeout',
  'maxIdle',
  'idleTimeout',
  'connectionLimit',
  'queueLimit',
  'resetOnRelease',
]

/** @throws LeaseholdError `INVALID_OPTIONS` with every problem */
export function readOptions(options: object | string): SplitOptions {
  const given = typeof options === 'string' ? fromUri(options) : options
  const { own, driver } = splitOptions(given)
  // The driver's limit of one attempt, where it is given, is ours too.
  const limitMs = driver['connectTimeout']
  const connect = typeof limitMs === 'number' && limitMs > 0 ? { connectTimeoutMs: limitMs } : {}
  const resolved = resolveOptions({ ...connect, ...own }, driver, DRIVER_NAMES, problemsIn(driver, own))
  return { resolved, driver }
}

/**
 * A pool of the driver reads its own options in the query of a connection string only where that string
 * is all it gets; so they are taken out of it here, and ours with them.
 */
function fromUri(uri: string): object {
  if (!URL.canParse(uri)) {
    // The error of `URL` itself has the whole string in it, password and all.
    throw invalidOptions('the connection string is not a URL')
  }
  const url = new URL(uri)
  const options = Object.fromEntries([...url.searchParams].map(([name, text]) => [name, valueOf(text)]))
  url.search = ''
  return { ...options, uri: url.href }
}

/** As the driver reads it: JSON where it is, text where it is not. */
function valueOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}

function problemsIn(driver: Readonly<Record<string, unknown>>, own: LeaseholdOptions): string[] {
  const problems: string[] = []
  const { uri } = driver
  // The driver's own error has the whole string in it, as that of `URL` does.
  if (typeof uri === 'string' && !URL.canParse(uri)) problems.push('`uri` is not a URL')
  const limit = driver['connectionLimit']
  if (limit !== undefined && !(typeof limit === 'number' && Number.isInteger(limit) && limit >= 0)) {
    problems.push('`connectionLimit` must be a whole number of connections; 0 means no limit')
  }
  if (driver['resetOnRelease'] === true && (own.lease ?? 'server') === 'server') {
    problems.push(
      "`resetOnRelease` resets wait_timeout, which is the lease: leave it out, or use `lease: 'client'`",
    )
  }
  return problems
}

/**
 * Where nothing else is said. The driver's own 16 000 costs each connect 0.75 ms and half a megabyte, for the room is
 * taken at once; a server has 16 382 of them for all its sessions (`max_prepared_stmt_count`).
 */
const MAX_PREPARED_STATEMENTS = 1_000

/**
 * The driver's pool options as a governed pool has them.
 *
 * @param ownLimit its size where it is given none; undefined leaves it to the driver
 */
export function poolConfig(
  driver: Readonly<Record<string, unknown>>,
  ownLimit: number | undefined,
): Record<string, unknown> {
  const limit = driver['connectionLimit'] ?? ownLimit
  return {
    maxPreparedStatements: MAX_PREPARED_STATEMENTS,
    ...driver,
    ...(limit === undefined ? {} : { connectionLimit: limit }),
    // Attempts have deadlines of ours.
    connectTimeout: 0,
  }
}
