/** What becomes of a statement that met trouble: a lost connection, a limit of time, an abort. */

import { sawAmbiguity } from './ambiguity.ts'
import type { Clock } from './clock.ts'
import { Deadline } from './deadline.ts'
import type { Diagnostics } from './diagnostics.ts'
import type { Dialect } from './dialect.ts'
import { annotate, codeOf, type ErrorKind, failureDetails, LeaseholdError } from './errors.ts'
import type { Knowledge } from './knowledge.ts'
import type { ResolvedOptions } from './options/options.ts'
import type { Random } from './random.ts'
import { type Failure, fateOf, replayDelayMs } from './replay.ts'
import { isUncommitted } from './savepoint.ts'
import type { Stats } from './stats.ts'
import { runStoppable, type StatementLimits, type Stoppable } from './stopping.ts'

export interface StatementParts {
  readonly dialect: Dialect
  readonly options: ResolvedOptions
  readonly clock: Clock
  readonly random: Random
  readonly knowledge: Knowledge
  readonly stats: Stats
  readonly diagnostics: Diagnostics
  /** What is left of the invocation, or undefined where that is not known. */
  spendableMs(): number | undefined
}

export class Statements {
  readonly #parts: StatementParts

  constructor(parts: StatementParts) {
    this.#parts = parts
  }

  /**
   * A statement that was sent on a connection of its own failed with `first`. Sends it again where that
   * is safe: the server proved that it did not read it, or the caller said that it may run twice. None is
   * begun after `resumeBudgetMs` from the first failure, or after the end of the invocation; what is under
   * way then has its own limits: of the wait for a connection, and of the statement.
   *
   * Rejects with the last error, the driver's own, `error.leasehold` added where a connection was lost;
   * or with the signal's reason.
   *
   * @param idempotent the caller said that it may run twice
   * @param send sends it on another connection
   * @param signal ends the pause before the next sending
   */
  async recover<T>(
    first: unknown,
    idempotent: boolean,
    send: () => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    const { clock, options, random, stats } = this.#parts
    const spendableMs = this.#parts.spendableMs() ?? Number.POSITIVE_INFINITY
    const deadline = new Deadline(clock, Math.min(options.resumeBudgetMs, spendableMs))
    let mayHaveRun = false
    let error = first
    for (let sentCount = 1; ; sentCount += 1) {
      const failure = this.#read(error)
      const delayMs = replayDelayMs(sentCount, options, random)
      const leftMs = deadline.leftMs()
      const fate = fateOf({ failure, idempotent, sentCount, mayHaveRun, delayMs, leftMs })
      mayHaveRun = fate.mayHaveRun
      if (!fate.resend) {
        if (failure === 'unread' || mayHaveRun)
          this.#explain(error, failure, mayHaveRun, sentCount, deadline.elapsedMs())
        throw error
      }
      signal?.throwIfAborted()
      if (delayMs > 0) await clock.sleep(delayMs, signal)
      stats.replayed += 1
      this.#tellReplay(error, sentCount)
      try {
        return await send()
      } catch (next) {
        error = next
      }
    }
  }

  /**
   * Says on the error of a statement that was not sent again what is known of it.
   *
   * @param connection what it ran on: inside a transaction of ours nothing of it stays
   * @param isApplications false where nothing of the application's was on it: an idle connection, or a question
   *   of ours. Then there is nothing to count
   */
  explainLoss(error: unknown, connection?: object, isApplications = true): void {
    const failure = this.#read(error)
    if (failure !== 'unread' && failure !== 'ambiguous') return
    const isUndone = connection !== undefined && isUncommitted(connection)
    this.#explain(error, failure, failure === 'ambiguous' && !isUndone, 1, 0, isApplications)
  }

  /**
   * Runs one statement that may be stopped. Settles as it settles where it ends in time, and where it
   * succeeded while it was being cancelled at its limit.
   *
   * Rejects with `QUERY_TIMEOUT` (the server's error in `cause`), or with the signal's reason.
   */
  async limited<T>(limits: StatementLimits, statement: Stoppable<T>): Promise<T> {
    const { signal, timeoutMs = 0 } = limits
    signal?.throwIfAborted()
    const { outcome, wasStopped } = await runStoppable(this.#parts, limits, statement)
    if (wasStopped && signal?.aborted === true) throw signal.reason
    if (outcome?.ok === true) return outcome.value
    if (!wasStopped) throw outcome?.error
    const error = timeoutError(timeoutMs, outcome)
    const mayHaveRun = outcome === undefined || this.#read(outcome.error) === 'ambiguous'
    this.#explain(error, 'answered', mayHaveRun, 1, timeoutMs)
    throw error
  }

  #tellReplay(error: unknown, sentCount: number): void {
    this.#parts.diagnostics.tell('replay', () => ({ code: codeOf(error), sentCount }))
  }

  #kindOf(error: unknown): ErrorKind {
    return LeaseholdError.is(error) ? 'fatal' : this.#parts.dialect.classify(error)
  }

  #read(error: unknown): Failure {
    if (isConnectFailure(error)) return 'unsent'
    switch (this.#kindOf(error)) {
      case 'lost':
      case 'starting':
        return this.#parts.dialect.provesUnread(error) ? 'unread' : 'ambiguous'
      case 'read-only':
      case 'transient':
        return 'refused'
      default:
        return 'answered'
    }
  }

  #explain(
    error: unknown,
    failure: Failure,
    mayHaveRun: boolean,
    sentCount: number,
    elapsedMs: number,
    isApplications = true,
  ): void {
    const known = failureDetails(error)
    const isLost = failure === 'unread' || failure === 'ambiguous'
    const isConnect = failure === 'unsent'
    const statementMayHaveRun = mayHaveRun || known?.statementMayHaveRun === true
    const isNews = statementMayHaveRun && known?.statementMayHaveRun !== true
    if (isNews && isApplications) sawAmbiguity(this.#parts, error)
    const what = isLost
      ? 'the connection was lost under a statement'
      : LeaseholdError.is(error) && error.code === 'QUERY_TIMEOUT'
        ? 'a statement was stopped at its limit'
        : 'the connection was lost under a statement, and sending it again failed'
    const doubt = statementMayHaveRun
      ? 'whether it ran is not known: look before you send it again, or mark it `idempotent`'
      : 'nothing of it stays, so it may be sent again'
    annotate(error, {
      kind: isLost ? 'lost' : (known?.kind ?? this.#kindOf(error)),
      attempts: isConnect ? (known?.attempts ?? 0) : sentCount,
      waitedMs: isConnect ? (known?.waitedMs ?? 0) : Math.round(elapsedMs),
      pressure: this.#parts.knowledge.pressure,
      summary: `${what} (${codeOf(error)}): ${doubt}`,
      statementMayHaveRun,
      commitOutcome: known?.commitOutcome,
    })
  }
}

/** Annotated when the connect was given up; a statement's error says whether it may have run. */
export function isConnectFailure(error: unknown): boolean {
  const details = failureDetails(error)
  return details !== undefined && details.statementMayHaveRun === undefined
}

function timeoutError(timeoutMs: number, outcome: { readonly error: unknown } | undefined): LeaseholdError {
  const end =
    outcome === undefined
      ? 'it did not end when it was cancelled, so its connection was cut'
      : 'it was cancelled on the server'
  return new LeaseholdError(
    'QUERY_TIMEOUT',
    `a statement took longer than ${Math.round(timeoutMs)} ms: ${end}; make it cheaper, or give it more ` +
      'time: `queryTimeoutMs`, or the time limit of the function',
    outcome === undefined ? undefined : { cause: outcome.error },
  )
}
