/** Runs a function inside a transaction: a connection of its own, whole or not at all, again where it lost a race. */

import { type AmbiguityParts, sawAmbiguity } from './ambiguity.ts'
import type { Clock } from './clock.ts'
import { Deadline, within } from './deadline.ts'
import type { Dialect } from './dialect.ts'
import { annotate, codeOf, failureDetails, LeaseholdError } from './errors.ts'
import type { Random } from './random.ts'
import { closeScope, openScope, type SavepointHands, type Scope, unfinished } from './savepoint.ts'
import { checkOptions, type TransactionOptions } from './transaction-options.ts'

const DEFAULT_RETRIES = 5
const DEFAULT_TIMEOUT_MS = 10_000
const FIRST_PAUSE_MS = 10
const LONGEST_PAUSE_MS = 500
/** BEGIN and ROLLBACK get no longer: what takes longer has lost its server. */
const BOUND_LIMIT_MS = 5_000
/** COMMIT waits for disks and replicas, but not for ever. */
const COMMIT_LIMIT_MS = 60_000
/** At the end of an invocation there is still the reserve that is kept for the answer. */
const LEAST_LIMIT_MS = 250
/** Libraries wrap an error in one of their own, seldom more than twice. */
const MOST_WRAPPERS = 4

/** What a transaction needs an adapter to do with one of its connections. */
export interface TransactionHands<C> extends SavepointHands<C> {
  /** A connection of the pool's, for this transaction alone. */
  checkout(): Promise<C>
  /**
   * Commits. Resolves to false where the server answered that it rolled back instead, because a
   * statement inside had failed.
   */
  commit(connection: C): Promise<boolean>
  /** Asks the server to stop what runs on the connection, if anything does. Bounded; never rejects. */
  cancel(connection: C): Promise<void>
  /** Gives it back, for the next to use. Never throws. */
  release(connection: C): void
  /** Cuts it, which rolls back. Never throws. */
  destroy(connection: C): void
}

export interface TransactionParts extends AmbiguityParts {
  readonly dialect: Dialect
  readonly clock: Clock
  readonly random: Random
  /** What is left of the invocation, or undefined where that is not known. */
  spendableMs(): number | undefined
}

/**
 * Runs `work` between BEGIN and COMMIT on a connection of its own, and resolves to what it resolved to.
 * Whatever it throws rolls back and is thrown. Runs it again, whole, where the transaction lost a race.
 *
 * @throws the first error; with `commitOutcome: 'unknown'` in `error.leasehold` where the answer to COMMIT
 *   did not come
 * @throws LeaseholdError `TRANSACTION_ABORTED` where a failure inside was caught and never thrown on;
 *   `QUERY_TIMEOUT` where the server did not answer BEGIN or COMMIT; `INVALID_OPTIONS`
 */
export async function runTransaction<C extends object, T>(
  parts: TransactionParts,
  hands: TransactionHands<C>,
  work: (connection: C) => Promise<T>,
  options: TransactionOptions = {},
): Promise<T> {
  checkOptions(options)
  const { clock, dialect, random, stats } = parts
  const { retries = DEFAULT_RETRIES, signal } = options
  const spendableMs = parts.spendableMs()
  const budgetMs = options.timeoutMs ?? spendableMs ?? DEFAULT_TIMEOUT_MS
  const deadline = new Deadline(clock, Math.min(budgetMs, spendableMs ?? budgetMs))
  for (let run = 1; ; run += 1) {
    try {
      return await runOnce(parts, hands, work, options)
    } catch (error) {
      if (run > retries || !isLostRace(dialect, error)) throw error
      const windowMs = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(run - 1, 32), LONGEST_PAUSE_MS)
      const pauseMs = windowMs * (0.5 + random.next())
      if (deadline.leftMs() <= pauseMs) throw error
      signal?.throwIfAborted()
      stats.rerun += 1
      parts.diagnostics.tell('rerun', () => ({ code: codeOf(error), runs: run }))
      await clock.sleep(pauseMs, signal)
    }
  }
}

async function runOnce<C extends object, T>(
  parts: TransactionParts,
  hands: TransactionHands<C>,
  work: (connection: C) => Promise<T>,
  options: TransactionOptions,
): Promise<T> {
  const { signal } = options
  const connection = await begun(parts, hands, options)
  const scope = openScope(connection)
  let result: T
  try {
    result = await untilAborted(async () => work(connection), signal)
    const doom = scope.doom ?? hands.doom(connection) ?? (scope.depth > 0 ? unfinished() : undefined)
    if (doom !== undefined) throw doom
    scope.isCommitting = true
    await commit(parts, hands, connection)
  } catch (error) {
    const isSound = await undone(parts, hands, connection, scope, error, signal)
    closeScope(connection, scope)
    if (isSound) hands.release(connection)
    else hands.destroy(connection)
    throw error
  }
  closeScope(connection, scope)
  hands.release(connection)
  return result
}

/** Nothing of the function has run before BEGIN is answered: a connection that is lost then is replaced. */
async function begun<C extends object>(
  parts: TransactionParts,
  hands: TransactionHands<C>,
  options: TransactionOptions,
): Promise<C> {
  const { clock, dialect } = parts
  const { signal } = options
  for (let isFirst = true; ; isFirst = false) {
    const connection = await checkedOut(hands, signal)
    try {
      for (const statement of dialect.begin(options)) {
        await untilAborted(
          () =>
            within(
              clock,
              boundLimitMs(parts),
              'BEGIN',
              () => hands.run(connection, statement),
              'QUERY_TIMEOUT',
            ),
          signal,
        )
      }
      return connection
    } catch (error) {
      hands.destroy(connection)
      signal?.throwIfAborted()
      const isGone = LeaseholdError.is(error) || isLoss(dialect, error)
      if (isGone) explain(parts, error, 'the connection was lost at BEGIN', false)
      if (!isFirst || !isGone) throw error
    }
  }
}

/** A connection that comes after the abort is given back as it came. */
async function checkedOut<C>(hands: TransactionHands<C>, signal: AbortSignal | undefined): Promise<C> {
  signal?.throwIfAborted()
  const coming = hands.checkout()
  try {
    return await untilAborted(() => coming, signal)
  } catch (error) {
    if (signal?.aborted === true) coming.then(hands.release.bind(hands), () => undefined)
    throw error
  }
}

async function commit<C>(parts: TransactionParts, hands: TransactionHands<C>, connection: C): Promise<void> {
  const limitMs = Math.max(LEAST_LIMIT_MS, parts.spendableMs() ?? COMMIT_LIMIT_MS)
  try {
    const work = (): Promise<boolean> => hands.commit(connection)
    if (await within(parts.clock, limitMs, 'COMMIT', work, 'QUERY_TIMEOUT')) return
  } catch (error) {
    const isGone = LeaseholdError.is(error) || isLoss(parts.dialect, error)
    if (isGone) explain(parts, error, 'the connection was lost at COMMIT', !parts.dialect.provesUnread(error))
    throw error
  }
  throw new LeaseholdError(
    'TRANSACTION_ABORTED',
    'the server rolled the transaction back, because a statement inside it had failed and its error was ' +
      'caught: let the error out, or put the statement that may fail into a transaction inside this one',
  )
}

/** Undoes what was done. Resolves to whether the connection is sound; never rejects: the first error is the one to tell. */
async function undone<C>(
  parts: TransactionParts,
  hands: TransactionHands<C>,
  connection: C,
  scope: Scope,
  error: unknown,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const isAborted = signal?.aborted === true && !scope.isCommitting
  // The function may go on for a while; whatever it still sends finds the connection closed.
  if (isAborted) await hands.cancel(connection)
  if (isAborted || scope.depth > 0 || isLoss(parts.dialect, error)) return false
  if (scope.isCommitting && LeaseholdError.is(error)) return error.code === 'TRANSACTION_ABORTED'
  try {
    const roll = (): Promise<void> => hands.run(connection, 'rollback')
    await within(parts.clock, boundLimitMs(parts), 'ROLLBACK', roll, 'QUERY_TIMEOUT')
    return true
  } catch {
    return false
  }
}

function boundLimitMs(parts: TransactionParts): number {
  return Math.min(BOUND_LIMIT_MS, Math.max(LEAST_LIMIT_MS, parts.spendableMs() ?? BOUND_LIMIT_MS))
}

/** By its own word, or by that of the error which it was caused by. */
function isLostRace(dialect: Dialect, error: unknown): boolean {
  let told = error
  for (let depth = 0; depth < MOST_WRAPPERS && typeof told === 'object' && told !== null; depth += 1) {
    if (!LeaseholdError.is(told) && dialect.classify(told) === 'transient') return true
    told = (told as { cause?: unknown }).cause
  }
  return false
}

function isLoss(dialect: Dialect, error: unknown): boolean {
  if (LeaseholdError.is(error)) return false
  const kind = dialect.classify(error)
  return kind === 'lost' || kind === 'starting'
}

function explain(parts: TransactionParts, error: unknown, what: string, mayHaveCommitted: boolean): void {
  const known = failureDetails(error)
  if (mayHaveCommitted && known?.statementMayHaveRun !== true) sawAmbiguity(parts, error)
  const end = mayHaveCommitted ? 'look whether it was committed' : 'nothing of the transaction stays'
  annotate(error, {
    kind: 'lost',
    attempts: known?.attempts ?? 1,
    waitedMs: known?.waitedMs ?? 0,
    pressure: known?.pressure,
    summary: `${what} (${codeOf(error)}): ${end}`,
    statementMayHaveRun: mayHaveCommitted,
    commitOutcome: mayHaveCommitted ? 'unknown' : undefined,
  })
}

async function untilAborted<T>(work: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work()
  signal.throwIfAborted()
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    work()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', onAbort))
  })
}
