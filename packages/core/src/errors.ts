/** Errors of our own, and the details we add to the drivers' errors. */

const BRAND = Symbol.for('leasehold.error')

/** Every condition of our own. The list is closed: a new code is a new minor version. */
export const ERROR_CODES = [
  /** Options are missing, unknown, out of range, or contradict each other. */
  'INVALID_OPTIONS',
  /** The driver handed in lacks a member that governance needs. */
  'UNSUPPORTED_DRIVER',
  /** Every connection of this pool was in use until the deadline. */
  'ACQUIRE_TIMEOUT',
  /** One attempt to connect, or one check of a connection, took longer than it may. */
  'CONNECT_TIMEOUT',
  /** A credential that goes over the wire as it is would have gone over a plain socket. */
  'TLS_REQUIRED',
  /** A credential could not be fetched in time: throttled, unreachable, too slow. Waiting may help. */
  'CREDENTIALS_UNAVAILABLE',
  /** There is no credential to fetch: missing, not allowed, not readable, or of the wrong shape. */
  'CREDENTIALS_INVALID',
  /** A statement took longer than its limit and was cancelled; or BEGIN or COMMIT had no answer. */
  'QUERY_TIMEOUT',
  /** The function of a transaction resolved, but what it did could not be committed: all was rolled back. */
  'TRANSACTION_ABORTED',
] as const

export type LeaseholdErrorCode = (typeof ERROR_CODES)[number]

/** An error that Leasehold itself raises; a driver's error is never wrapped in it. */
export class LeaseholdError extends Error {
  readonly code: LeaseholdErrorCode

  constructor(code: LeaseholdErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'LeaseholdError'
    this.code = code
    Object.defineProperty(this, BRAND, { value: true })
  }

  /** Recognises the error across copies of the package, where `instanceof` fails. */
  static is(value: unknown): value is LeaseholdError {
    return typeof value === 'object' && value !== null && BRAND in value
  }
}

/**
 * What an error means for the connection and for the next attempt.
 *
 * - `saturated`: no slot is free; waiting helps
 * - `auth`: the server refused the credential
 * - `lost`: the session is gone
 * - `read-only`: the server is no longer a writer (after a failover)
 * - `starting`: the server, or the way to it, is not there yet; waiting helps
 * - `transient`: the statement lost a race (deadlock, serialization); the session is sound
 * - `fatal`: anything else; waiting does not help
 */
export type ErrorKind = 'saturated' | 'auth' | 'lost' | 'read-only' | 'starting' | 'transient' | 'fatal'

/** What `error.leasehold` says of a failed connect, or of a statement whose connection was lost. */
export interface FailureDetails {
  readonly kind: ErrorKind
  /** Connect attempts made, or times the statement was sent, the last one included. */
  readonly attempts: number
  /** Milliseconds from the first attempt, or the first loss, until the error surfaced. */
  readonly waitedMs: number
  /** Used slots / slots in the newest census, or undefined where none could be taken. */
  readonly pressure: number | undefined
  /** One sentence for the log: what, how long, the census, what to do. */
  readonly summary: string
  /**
   * Of a statement that was sent: whether something of it may stay. False where the server proved that
   * it did not read it, where it was cancelled, and where its transaction was lost before COMMIT.
   * Undefined of a failed connect: nothing was sent.
   */
  readonly statementMayHaveRun?: boolean | undefined
  /** The connection was lost before the answer to COMMIT came. */
  readonly commitOutcome?: 'unknown' | undefined
}

/** Adds `leasehold` to a driver's error: not enumerable, so that nothing that prints it changes. */
export function annotate(error: unknown, details: FailureDetails): void {
  if (typeof error !== 'object' || error === null || !Object.isExtensible(error)) return
  Object.defineProperty(error, 'leasehold', {
    value: Object.freeze(details),
    configurable: true,
    enumerable: false,
    writable: false,
  })
}

/** The `leasehold` details of a driver's error, or undefined where it carries none. */
export function failureDetails(error: unknown): FailureDetails | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  return (error as { leasehold?: FailureDetails }).leasehold
}

/** @param problems in words, each naming its field and the remedy; told one a line */
export function invalidOptions(...problems: readonly string[]): LeaseholdError {
  return new LeaseholdError('INVALID_OPTIONS', `invalid options:\n - ${problems.join('\n - ')}`)
}

/** @param option the driver's option that turns TLS on */
export function tlsRequired(option: string): LeaseholdError {
  return new LeaseholdError(
    'TLS_REQUIRED',
    `this credential goes over the wire as it is, and the connection has no TLS: set \`${option}\``,
  )
}

/** A driver's own code (SQLSTATE, `ER_…`, errno name), for messages; never the error's text. */
export function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return 'unknown'
  const { code, errno } = error as { code?: unknown; errno?: unknown }
  if (typeof code === 'string' && code !== '') return code
  return typeof errno === 'number' ? String(errno) : 'unknown'
}
