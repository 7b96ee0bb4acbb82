/** What a fake server does with the application's statements. */

import type { Clock } from '../clock.ts'
import { classifyFakeError, type FakeErrorCode, FakeServerError } from './fake-errors.ts'
import type { FakeSession } from './fake-session.ts'
import { readStatement } from './fake-statement.ts'
import { setBound } from './fake-transaction.ts'

export type FakeAnswer = readonly unknown[] | FakeServerError

export class FakeStatements {
  /** All that were read, in order. */
  readonly read: string[] = []
  /** Writes that stayed, in the order in which they were committed. */
  readonly committed: string[] = []
  /** What the next ones are answered with, whatever they say. */
  readonly failures: FakeErrorCode[] = []
  readonly #clock: Clock
  readonly #reply: (statement: string, session: FakeSession) => readonly unknown[]
  readonly #running = new WeakMap<FakeSession, AbortController>()

  constructor(clock: Clock, reply: (statement: string, session: FakeSession) => readonly unknown[]) {
    this.#clock = clock
    this.#reply = reply
  }

  async execute(
    session: FakeSession,
    text: string,
    isReadOnly: boolean,
    signal: AbortSignal,
  ): Promise<FakeAnswer> {
    this.read.push(text)
    const answer = await this.#answer(session, text, isReadOnly, signal)
    const { transaction } = session.server
    if (answer instanceof FakeServerError && transaction !== undefined) {
      transaction.failed = true
      if (classifyFakeError(answer) === 'lost') session.server.transaction = undefined
    }
    return answer
  }

  /** Stops what runs on a session, if anything does. */
  cancel(session: FakeSession): void {
    this.#running.get(session)?.abort()
  }

  async #answer(
    session: FakeSession,
    text: string,
    isReadOnly: boolean,
    signal: AbortSignal,
  ): Promise<FakeAnswer> {
    const { server } = session
    const failure = this.failures.shift()
    if (failure !== undefined) return new FakeServerError(failure, 'the statement failed, as it was told to')
    const { writes, busyMs, bound, savepoint } = readStatement(text)
    if (bound !== undefined) {
      const rows = setBound(server, bound, savepoint, (done) => this.committed.push(...done))
      return rows ?? new FakeServerError('FAKE_STATEMENT_FAILED', 'no such savepoint')
    }
    if (server.transaction?.failed === true)
      return new FakeServerError('FAKE_ABORTED', 'a statement of this transaction failed before')
    if (isReadOnly && writes) return new FakeServerError('FAKE_READ_ONLY', 'the server is read-only')
    if (busyMs > 0 && !(await this.#sleep(session, busyMs, signal)))
      return new FakeServerError('FAKE_CANCELLED', 'the statement was cancelled')
    if (writes) this.#write(session, text)
    return this.#reply(text, session)
  }

  #write({ server }: FakeSession, text: string): void {
    if (server.transaction === undefined) this.committed.push(text)
    else server.transaction.did(text)
  }

  /** Resolves to whether it was left to sleep to the end. */
  async #sleep(session: FakeSession, busyMs: number, signal: AbortSignal): Promise<boolean> {
    const cancelled = new AbortController()
    this.#running.set(session, cancelled)
    try {
      await this.#clock.sleep(busyMs, AbortSignal.any([signal, cancelled.signal]))
      return true
    } catch (error) {
      if (cancelled.signal.aborted) return false
      throw error
    } finally {
      this.#running.delete(session)
    }
  }
}
