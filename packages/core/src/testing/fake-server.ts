import { type Clock, Moment, systemClock } from '../clock.ts'
import { type FakeCensusRow, isOwn, leaseIn, type OwnStatement, readOwnStatement } from './fake-dialect.ts'
import {
  classifyFakeError,
  type FakeErrorCode,
  FakeServerError,
  lapsedError,
  resetError,
} from './fake-errors.ts'
import { FakeLeases } from './fake-leases.ts'
import { FakeNetwork, never } from './fake-network.ts'
import { type FakeRecall, type FakeRecallRow, recallable } from './fake-recall.ts'
import type { FakeConnectRequest, FakeServerOptions } from './fake-server-options.ts'
import { FakeSession, type SessionHost } from './fake-session.ts'
import { type FakeAnswer, FakeStatements } from './fake-statements.ts'

/**
 * A database server in memory. It has a limited number of slots, ends idle sessions by the lease
 * that it holds for them (its clock goes on while a client is frozen), answers the census of
 * `fakeDialect`, and can be restarted, made read-only, or cut off. Its fields may be changed at any
 * time and count from the next message on.
 *
 * Leases run inside transactions too, as MySQL's do.
 *
 * It knows no SQL: `begin`, `commit`, `rollback` and savepoints bound a transaction, which fails whole where
 * a statement inside it fails, as PostgreSQL's do; `sleep 50` keeps the session busy for 50 ms; statements
 * that start with a writing verb fail while it is read-only; and for the rest `reply` gives the rows.
 */
export class FakeServer implements SessionHost {
  slotCount: number
  roundTripMs: number
  connectMs: number
  password: string | undefined
  /** Takes no writes, as a writer does after a failover. */
  readOnly = false
  /** `refused`: a lease at start-up is an error, as behind some proxies. `ignored`: it is lost, as behind a pooler. */
  leases: 'held' | 'refused' | 'ignored' = 'held'
  /** False: the login may not count sessions. */
  answersCensus = true
  /** `refused`: the login may not end sessions. `busy`: another reaper is always at it. */
  recalls: 'answered' | 'refused' | 'busy' = 'answered'
  /** False: a statement runs on although it is cancelled. */
  obeysCancel = true
  readonly #clock: Clock
  readonly #statements: FakeStatements
  readonly #sessions = new Set<FakeSession>()
  readonly #cuts: ('before' | 'after')[] = []
  /** Why sessions ended: a client that has not heard of it is told when it asks. */
  readonly #ends = new WeakMap<FakeSession, FakeServerError>()
  readonly #leases: FakeLeases
  readonly #network: FakeNetwork
  #refusedCount = 0
  #openedCount = 0
  #down: { since: Moment; forMs: number } | undefined

  constructor(options: FakeServerOptions = {}) {
    this.#clock = options.clock ?? systemClock
    this.slotCount = options.slotCount ?? 10
    this.roundTripMs = options.roundTripMs ?? 0
    this.connectMs = options.connectMs ?? this.roundTripMs
    this.password = options.password
    this.#network = new FakeNetwork(this.#clock)
    const lapse = (session: FakeSession): void => this.#end(session, lapsedError())
    this.#leases = new FakeLeases(this.#clock, (session) => this.#sessions.has(session), lapse)
    this.#statements = new FakeStatements(this.#clock, options.reply ?? (() => []))
  }

  /** Every statement of the application's that was read, in order. */
  get statements(): readonly string[] {
    return this.#statements.read
  }

  /** Every write that stayed, in the order in which they were committed. */
  get committed(): readonly string[] {
    return this.#statements.committed
  }

  /** The sessions that take a slot now, zombies included. */
  get sessions(): readonly FakeSession[] {
    for (const session of this.#sessions) this.#leases.endIfLapsed(session)
    return [...this.#sessions]
  }

  /** Connects refused for want of a slot since the start. */
  get refusedCount(): number {
    return this.#refusedCount
  }

  /** @throws FakeServerError `FAKE_NO_SLOT`, `FAKE_WRONG_PASSWORD`, `FAKE_STARTING`, `FAKE_LEASE_REFUSED` */
  async connect(request: FakeConnectRequest = {}): Promise<FakeSession> {
    const { signal } = request
    signal?.throwIfAborted()
    if (this.#network.isBlackhole) await never(signal)
    const problem = this.#problemWith(request)
    if (problem !== undefined) {
      await this.#network.travel(this.connectMs, signal)
      throw problem
    }
    const leaseMs = this.leases === 'held' ? request.leaseMs : undefined
    this.#openedCount += 1
    const session = new FakeSession(this, this.#clock, this.#openedCount, request.label ?? '', leaseMs)
    this.#sessions.add(session)
    this.#leases.watch(session)
    try {
      await this.#network.travel(this.connectMs, signal, session)
    } catch (error) {
      session.close()
      throw error
    }
    return session
  }

  async serve(session: FakeSession, text: string, signal: AbortSignal): Promise<readonly unknown[]> {
    if (!this.#network.reaches(session)) await never(signal)
    this.#leases.endIfLapsed(session)
    if (!this.#sessions.has(session)) throw this.#ends.get(session) ?? resetError()
    const { server } = session
    const cut = isOwn(text) ? undefined : this.#cuts.shift()
    if (cut === 'before') throw this.#cut(session)
    server.busy = true
    let answer: FakeAnswer
    try {
      answer = await this.#execute(session, text, signal)
    } finally {
      server.busy = false
      server.lastActive.set(this.#clock)
    }
    if (cut === 'after') throw this.#cut(session)
    await this.#network.travel(this.roundTripMs, signal, session)
    if (answer instanceof FakeServerError) throw answer
    return answer
  }

  async cancel(session: FakeSession, signal: AbortSignal | undefined): Promise<void> {
    if (this.#network.isBlackhole) await never(signal)
    if (this.obeysCancel) this.#statements.cancel(session)
    await this.#network.travel(this.roundTripMs, signal)
  }

  closed(session: FakeSession): void {
    if (this.#network.reaches(session)) this.#sessions.delete(session)
  }

  /** Ends one session, as `pg_terminate_backend` or `kill` does. Its client hears of it as soon as it runs. */
  terminate(session: FakeSession): void {
    this.#end(session, new FakeServerError('FAKE_TERMINATED', 'the session was ended by an operator'))
  }

  /** Ends all sessions and counts from nothing. Connects fail with `FAKE_STARTING` for `downMs`. */
  restart(downMs = 0): void {
    this.#endAll(new FakeServerError('FAKE_TERMINATED', 'the server is shutting down'))
    this.#refusedCount = 0
    this.#down = { since: new Moment(this.#clock), forMs: downMs }
  }

  /**
   * The network loses everything from now on. Sessions that are open stay open at both ends, but no
   * answer and no end goes through any more, not even after `resume`; connects get no answer.
   */
  blackhole(): void {
    this.#network.swallow(this.#sessions)
  }

  /** New connects work again. What was lost in the black hole stays lost. */
  resume(): void {
    this.#network.resume()
  }

  /** The network ends all connections, and both sides know. */
  reset(): void {
    this.#endAll(resetError())
  }

  /** The next application statement is answered with this error; called again, the one after it too. */
  failNext(code: FakeErrorCode): void {
    this.#statements.failures.push(code)
  }

  /**
   * Cuts the connection at the next application statement: before the server has read it, or after it has
   * done it, so that the answer is lost. Called again, at the one after it too.
   */
  cutNext(when: 'before' | 'after'): void {
    this.#cuts.push(when)
  }

  #problemWith(request: FakeConnectRequest): FakeServerError | undefined {
    if (this.#down !== undefined && this.#down.since.elapsedMs(this.#clock) < this.#down.forMs) {
      return new FakeServerError('FAKE_STARTING', 'the server is starting up')
    }
    if (this.sessions.length >= this.slotCount) {
      this.#refusedCount += 1
      return new FakeServerError('FAKE_NO_SLOT', 'too many connections')
    }
    if (this.password !== undefined && request.password !== this.password) {
      return new FakeServerError('FAKE_WRONG_PASSWORD', 'password authentication failed')
    }
    if (this.leases === 'refused' && request.leaseMs !== undefined) {
      return new FakeServerError('FAKE_LEASE_REFUSED', 'unsupported startup parameter')
    }
    return undefined
  }

  async #execute(session: FakeSession, text: string, signal: AbortSignal): Promise<FakeAnswer> {
    const own = readOwnStatement(text)
    if (own !== undefined) return this.#obey(session, own)
    if (text === '') return []
    const answer = await this.#statements.execute(session, text, this.readOnly, signal)
    if (answer instanceof FakeServerError && classifyFakeError(answer) === 'lost')
      this.#sessions.delete(session)
    return answer
  }

  #obey(session: FakeSession, own: OwnStatement): FakeAnswer {
    if (own.kind === 'lease') {
      this.#setLease(session, own.leaseMs)
      return []
    }
    if (own.kind === 'recall') return this.#recall(session, own.asked)
    if (!this.answersCensus) return new FakeServerError('FAKE_CENSUS_REFUSED', 'permission denied')
    const usedCount = this.sessions.length
    const holdsLease = session.server.leaseMs === own.leaseMs
    if (holdsLease) this.#setLease(session, leaseIn(own.ladder, usedCount, this.slotCount) ?? own.leaseMs)
    return [
      {
        usedCount,
        slotCount: this.slotCount,
        labels: this.sessions.map(({ label }) => label).filter((label) => label !== ''),
        refusedCount: this.#refusedCount,
        leaseMs: holdsLease ? session.server.leaseMs : undefined,
      } satisfies FakeCensusRow,
    ]
  }

  #recall(asker: FakeSession, asked: FakeRecall): FakeAnswer {
    if (this.recalls === 'refused') return new FakeServerError('FAKE_CENSUS_REFUSED', 'permission denied')
    const busy = this.recalls === 'busy'
    const chosen = busy ? [] : recallable(this.#clock, this.sessions, this.slotCount, asker, asked)
    for (const session of chosen) this.terminate(session)
    return [{ endedCount: chosen.length, busy } satisfies FakeRecallRow]
  }

  #setLease(session: FakeSession, leaseMs: number): void {
    if (this.leases !== 'ignored') this.#leases.set(session, leaseMs)
  }

  #cut(session: FakeSession): FakeServerError {
    const error = resetError()
    this.#end(session, error)
    return error
  }

  #endAll(error: FakeServerError): void {
    for (const session of this.#sessions) this.#end(session, error)
  }

  #end(session: FakeSession, error: FakeServerError): void {
    this.#ends.set(session, error)
    if (!this.#sessions.delete(session) || !this.#network.reaches(session)) return
    this.#clock.defer(() => session.hearEnd(error))
  }
}
