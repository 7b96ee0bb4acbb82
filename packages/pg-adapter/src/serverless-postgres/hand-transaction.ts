/**
 * A transaction that the application begins and ends by statements of its own, `BEGIN` to `COMMIT`. It
 * keeps its session until it ends; where the session is lost, nothing goes on in autocommit.
 */

import { annotate, codeOf, failureDetails, invocationMark, LeaseholdError, systemEnv } from '@leasehold/core'
import type pg from 'pg'

import { postgresDialect } from '../dialect.ts'
import { type GovernedClient, GOVERNOR } from '../governed-client.ts'
import { endIn } from './statement-text.ts'

/** A client of a governed pool, checked out. */
export type HeldClient = pg.PoolClient & GovernedClient

export class HandTransaction {
  #client: HeldClient | undefined
  #loss: { readonly error: unknown } | undefined
  #mark: string | undefined

  /** The session that is inside a transaction, where it is not lost. */
  get client(): HeldClient | undefined {
    return this.#client
  }

  /** Between its beginning and its end, lost or not. */
  get isOpen(): boolean {
    return this.#client !== undefined || this.#loss !== undefined
  }

  hold(client: HeldClient): void {
    this.#client = client
    this.#mark = invocationMark(systemEnv)
  }

  /** The session went while the pool had it, in the instant between two statements. */
  lose(error: unknown): void {
    this.#client = undefined
    this.#loss = { error }
    this.#mark = invocationMark(systemEnv)
  }

  /** What an earlier invocation left open is none of this one's: the pool takes such a session away, and reports it. */
  noticeInvocation(): void {
    if (!this.isOpen) return
    const mark = invocationMark(systemEnv)
    if (mark === this.#mark) return
    this.#mark = mark
    this.#client?.[GOVERNOR].noticeInvocation()
    this.noticeReclaim()
  }

  /** The pool may have taken the session away. A loss that was told in another invocation is not this one's. */
  noticeReclaim(): void {
    if (this.#client?.governed?.spoilt === true || this.#loss !== undefined) this.end()
  }

  /** Gives up the session, in the state it is in. */
  end(): void {
    const client = this.#client
    this.#client = undefined
    this.#loss = undefined
    client?.release()
  }

  /** Closes the session, which rolls back. */
  destroy(): void {
    const client = this.#client
    this.#client = undefined
    this.#loss = undefined
    client?.release(true)
  }

  /** Sends one statement on the session. `send` is given the client. */
  async run<T>(text: string, send: (client: HeldClient) => Promise<T>): Promise<T> {
    const client = this.#client
    if (client === undefined) throw new Error('not in a transaction')
    try {
      return await send(client)
    } catch (error) {
      // A statement that was stopped may have had its connection cut, which the driver has yet to notice.
      const isGone = isLoss(error) || !client._queryable || client.connection.stream.destroyed
      if (!isGone) throw error
      const end = endIn(text)
      this.#lost(client, error, end)
      // Lost on the way or before: either way it was rolled back.
      if (end === 'rollback') return rolledBack() as T
      throw error
    } finally {
      if (this.#client === client && client.governed?.hands.inTransaction() !== true) this.end()
    }
  }

  /**
   * Answers a statement of a transaction whose session is lost. ROLLBACK has nothing left to do; COMMIT
   * has nothing left to commit; both end it.
   */
  answer(text: string): pg.QueryResult {
    const end = endIn(text)
    const error = this.#loss?.error
    if (end !== undefined) this.#loss = undefined
    if (end === 'rollback') return rolledBack()
    throw new LeaseholdError(
      'TRANSACTION_ABORTED',
      `the connection was lost inside this transaction (${codeOf(error)}), so the server rolled it back: ` +
        'send ROLLBACK, and begin again',
      { cause: error },
    )
  }

  #lost(client: HeldClient, error: unknown, end: 'rollback' | 'commit' | undefined): void {
    this.#client = undefined
    client.release(true)
    // A transaction whose end was asked for is over; only whether it was committed is not known.
    if (end === undefined) this.#loss = { error }
    if (end === 'commit' && !postgresDialect.provesUnread(error)) explainCommit(error)
  }
}

/** What the driver would have given. */
function rolledBack(): pg.QueryResult {
  return { command: 'ROLLBACK', rowCount: null, oid: 0, fields: [], rows: [] }
}

function isLoss(error: unknown): boolean {
  if (LeaseholdError.is(error)) return false
  const kind = postgresDialect.classify(error)
  return kind === 'lost' || kind === 'starting'
}

function explainCommit(error: unknown): void {
  const known = failureDetails(error)
  annotate(error, {
    kind: 'lost',
    attempts: known?.attempts ?? 1,
    waitedMs: known?.waitedMs ?? 0,
    pressure: known?.pressure,
    summary: `the connection was lost before the answer to COMMIT came (${codeOf(error)}): look whether it was committed`,
    statementMayHaveRun: true,
    commitOutcome: 'unknown',
  })
}
