/** One connection to a fake server: the driver's end of it, and what the server keeps of it. */

import { type Clock, Moment } from '../clock.ts'
import type { Hands } from '../connection.ts'
import { classifyFakeError, FakeServerError } from './fake-errors.ts'
import type { FakeTransaction } from './fake-transaction.ts'

/** The pool that a session lives in. */
export interface FakeHome {
  idle(session: FakeSession): boolean
  yield(session: FakeSession): void
  drop(session: FakeSession): void
}

/** The server's side of the wire. */
export interface SessionHost {
  /** Runs a statement; rejects with the signal's reason when this side goes away first. */
  serve(session: FakeSession, statement: string, signal: AbortSignal): Promise<readonly unknown[]>
  /** Asks for the end of what runs on the session, by a way of its own. */
  cancel(session: FakeSession, signal: AbortSignal | undefined): Promise<void>
  /** This side closed its end. The server hears of it unless nothing gets through. */
  closed(session: FakeSession): void
}

/** What the server keeps of a session. Tests may read all of it. */
export interface ServerSide {
  /** How long the server lets the session sit idle, in milliseconds; undefined: for ever. */
  leaseMs: number | undefined
  /** When the last statement ended, by the server. */
  readonly lastActive: Moment
  /** A statement is running. */
  busy: boolean
  /** Between `begin` and `commit` or `rollback`. */
  transaction: FakeTransaction | undefined
}

/**
 * A connection as a driver gives it: statements run one after another, in the order they were sent.
 * It implements the core's `Hands`; outside a pool it counts as idle while nothing runs on it.
 */
export class FakeSession implements Hands {
  /** The server's own number for the session; counts up from 1. */
  readonly id: number
  /** What the session calls itself in a census; empty where it carries no label. */
  readonly label: string
  readonly server: ServerSide
  readonly #host: SessionHost
  readonly #life = new AbortController()
  readonly #endListeners: ((error: FakeServerError) => void)[] = []
  readonly #answerListeners: (() => void)[] = []
  #home: FakeHome | undefined
  #last: Promise<unknown> = Promise.resolve()
  #pendingCount = 0

  constructor(host: SessionHost, clock: Clock, id: number, label: string, leaseMs: number | undefined) {
    this.#host = host
    this.id = id
    this.label = label
    this.server = { leaseMs, lastActive: new Moment(clock), busy: false, transaction: undefined }
  }

  /** As far as this side knows, the connection stands. */
  get open(): boolean {
    return !this.#life.signal.aborted
  }

  run(statement: string): Promise<readonly unknown[]> {
    this.#pendingCount += 1
    const answer = this.#last.then(() => this.#exchange(statement))
    this.#last = answer.catch(() => undefined)
    return answer
  }

  async ping(): Promise<void> {
    await this.run('')
  }

  /** Asks the server to stop what runs: it fails with `FAKE_CANCELLED`. Resolves when the server has taken note. */
  cancel(signal?: AbortSignal): Promise<void> {
    return this.#host.cancel(this, signal)
  }

  quiet(): boolean {
    return this.open && this.#pendingCount === 0
  }

  idle(): boolean {
    return this.#home === undefined ? this.quiet() : this.open && this.#home.idle(this)
  }

  yield(): void {
    if (this.#home === undefined) this.close()
    else this.#home.yield(this)
  }

  leave(): Promise<void> {
    this.close()
    return Promise.resolve()
  }

  drop(): void {
    if (this.#home === undefined) this.close()
    else this.#home.drop(this)
  }

  inTransaction(): boolean {
    return this.server.transaction !== undefined
  }

  get pooled(): boolean {
    return this.#home !== undefined
  }

  /** Closes this side. What is running or queued fails with `FAKE_RESET`; listeners hear nothing. */
  close(): void {
    if (!this.open) return
    this.#life.abort(new FakeServerError('FAKE_RESET', 'the connection was closed by this side'))
    this.#host.closed(this)
  }

  /**
   * The environment vanishes: no goodbye, no FIN. This side is dead at once, the server's session
   * stays until its lease runs out: a zombie.
   */
  vanish(): void {
    this.#life.abort(new FakeServerError('FAKE_RESET', 'the environment is gone'))
  }

  /** Puts the session into a pool, which from now on answers for idle, yield and drop. */
  livesIn(home: FakeHome): void {
    this.#home = home
  }

  /** Called once when the server or the network ended the connection; not when this side closed it. */
  onEnd(listener: (error: FakeServerError) => void): void {
    this.#endListeners.push(listener)
  }

  /** Called at every answer of the server's, errors included: its idle clock has just started again. */
  onAnswer(listener: () => void): void {
    this.#answerListeners.push(listener)
  }

  /** The news that the connection is gone reaches this side. Called by the server. */
  hearEnd(error: FakeServerError): void {
    if (!this.open) return
    this.#life.abort(error)
    for (const listener of this.#endListeners) listener(error)
  }

  async #exchange(statement: string): Promise<readonly unknown[]> {
    const { signal } = this.#life
    try {
      signal.throwIfAborted()
      const rows = await this.#host.serve(this, statement, signal)
      this.#answered()
      return rows
    } catch (error) {
      if (!(error instanceof FakeServerError) || classifyFakeError(error) !== 'lost') this.#answered()
      else this.hearEnd(error)
      throw error
    } finally {
      this.#pendingCount -= 1
    }
  }

  #answered(): void {
    for (const listener of this.#answerListeners) listener()
  }
}
