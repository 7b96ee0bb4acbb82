import { type Clock, Moment, systemClock } from '../clock.ts'
import { type FakeCensusRow, leaseIn, type OwnStatement, readOwnStatement } from './fake-dialect.ts'
import { type FakeErrorCode, FakeServerError } from './fake-errors.ts'
import type { FakeConnectRequest, FakeServerOptions } from './fake-server-options.ts'
import { FakeSession, type SessionHost } from './fake-session.ts'
import { readStatement } from './fake-statement.ts'

/**
 * A database server in memory. It has a limited number of slots, ends idle sessions by the lease
 * that it holds for them (its clock goes on while a client is frozen), answers the census of
 * `fakeDialect`, and can be restarted, made read-only, or cut off. Its fields may be changed at any
 * time and count from the next message on.
 *
 * Leases run inside transactions too, as MySQL's do.
 *
 * It knows no SQL: `begin`, `commit` and `rollback` mark a transaction, `sleep 50` keeps the session
 * busy for 50 ms, statements that start with a writing verb fail while it is read-only, and for
 * the rest `reply` gives the rows.
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
  /** Every statement of the application's that the server has read, in order. */
  readonly statements: string[] = []
  readonly #clock: Clock
  readonly #reply: (statement: string, session: FakeSession) => readonly unknown[]
  readonly #sessions = new Set<FakeSession>()
  readonly #failures: FakeErrorCode[] = []
  /** The newest watch of each session; older ones find that they are not it, and end. */
  readonly #watches = new WeakMap<FakeSession, symbol>()
  readonly #unreachable = new WeakSet<FakeSession>()
  #isBlackhole = false
  #refusedCount = 0
  #openedCount = 0
  #down: { since: Moment; forMs: number } | undefined

  constructor(options: FakeServerOptions = {}) {
    this.#clock = options.clock ?? systemClock
    this.slotCount = options.slotCount ?? 10
    this.roundTripMs = options.roundTripMs ?? 0
    this.connectMs = options.connectMs ?? this.roundTripMs
    this.password = options.password
    this.#reply = options.reply ?? (() => [])
  }

  /** The sessions that take a slot now, zombies included. */
  get sessions(): readonly FakeSession[] {
    for (const session of this.#sessions) this.#endIfLapsed(session)
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
    if (this.#isBlackhole) await never(signal)
    const problem = this.#problemWith(request)
    if (problem !== undefined) {
      await this.#travel(this.connectMs, signal)
      throw problem
    }
    const leaseMs = this.leases === 'held' ? request.leaseMs : undefined
    this.#openedCount += 1
    const session = new FakeSession(this, this.#clock, this.#openedCount, request.label ?? '', leaseMs)
    this.#sessions.add(session)
    this.#watch(session)
    try {
      await this.#travel(this.connectMs, signal, session)
    } catch (error) {
      session.close()
      throw error
    }
    return session
  }

  async serve(session: FakeSession, text: string, signal: AbortSignal): Promise<readonly unknown[]> {
    if (this.#unreachable.has(session)) await never(signal)
    this.#endIfLapsed(session)
    if (!this.#sessions.has(session)) throw new FakeServerError('FAKE_RESET', 'no such session')
    const { server } = session
    server.busy = true
    let answer: readonly unknown[] | FakeServerError
    try {
      answer = await this.#execute(session, text, signal)
    } finally {
      server.busy = false
      server.lastActive.set(this.#clock)
    }
    await this.#travel(this.roundTripMs, signal, session)
    if (answer instanceof FakeServerError) throw answer
    return answer
  }

  closed(session: FakeSession): void {
    if (!this.#unreachable.has(session)) this.#sessions.delete(session)
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
    this.#isBlackhole = true
    for (const session of this.#sessions) this.#unreachable.add(session)
  }

  /** New connects work again. What was lost in the black hole stays lost. */
  resume(): void {
    this.#isBlackhole = false
  }

  /** The network ends all connections, and both sides know. */
  reset(): void {
    this.#endAll(new FakeServerError('FAKE_RESET', 'the connection was reset'))
  }

  /** The next application statement is answered with this error; called again, the one after it too. */
  failNext(code: FakeErrorCode): void {
    this.#failures.push(code)
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

  async #execute(
    session: FakeSession,
    text: string,
    signal: AbortSignal,
  ): Promise<readonly unknown[] | FakeServerError> {
    const own = readOwnStatement(text)
    if (own !== undefined) return this.#obey(session, own)
    if (text === '') return []
    this.statements.push(text)
    const failure = this.#failures.shift()
    if (failure !== undefined) return new FakeServerError(failure, 'the statement failed, as it was told to')
    const { writes, busyMs, inTransaction = session.server.inTransaction } = readStatement(text)
    if (this.readOnly && writes) return new FakeServerError('FAKE_READ_ONLY', 'the server is read-only')
    if (busyMs > 0) await this.#clock.sleep(busyMs, signal)
    session.server.inTransaction = inTransaction
    return this.#reply(text, session)
  }

  #obey(session: FakeSession, own: OwnStatement): readonly unknown[] | FakeServerError {
    if (own.kind === 'lease') {
      this.#setLease(session, own.leaseMs)
      return []
    }
    if (!this.answersCensus) return new FakeServerError('FAKE_CENSUS_REFUSED', 'permission denied')
    const usedCount = this.sessions.length
    const holdsLease = session.server.leaseMs === own.leaseMs
    if (holdsLease) this.#setLease(session, leaseIn(own.ladder, usedCount, this.slotCount) ?? own.leaseMs)
    const row: FakeCensusRow = {
      usedCount,
      slotCount: this.slotCount,
      labels: this.sessions.map(({ label }) => label).filter((label) => label !== ''),
      refusedCount: this.#refusedCount,
      leaseMs: holdsLease ? session.server.leaseMs : undefined,
    }
    return [row]
  }

  #setLease(session: FakeSession, leaseMs: number): void {
    if (this.leases === 'ignored' || session.server.leaseMs === leaseMs) return
    session.server.leaseMs = leaseMs
    this.#watch(session)
  }

  /** So that an idle client hears of its session's end as soon as it runs. The truth is in `#endIfLapsed`. */
  #watch(session: FakeSession): void {
    const { leaseMs, lastActive } = session.server
    if (leaseMs === undefined) return
    const watch = Symbol('watch')
    this.#watches.set(session, watch)
    this.#clock.later(Math.max(1, leaseMs - lastActive.elapsedMs(this.#clock)), () => {
      if (this.#watches.get(session) !== watch) return
      this.#endIfLapsed(session)
      if (this.#sessions.has(session)) this.#watch(session)
    })
  }

  #endIfLapsed(session: FakeSession): void {
    const { leaseMs, busy, lastActive } = session.server
    if (leaseMs === undefined || busy || lastActive.elapsedMs(this.#clock) < leaseMs) return
    this.#end(session, new FakeServerError('FAKE_LAPSED', 'the session sat idle for longer than its lease'))
  }

  #endAll(error: FakeServerError): void {
    for (const session of this.#sessions) this.#end(session, error)
  }

  #end(session: FakeSession, error: FakeServerError): void {
    if (!this.#sessions.delete(session) || this.#unreachable.has(session)) return
    this.#clock.defer(() => session.hearEnd(error))
  }

  async #travel(durationMs: number, signal: AbortSignal | undefined, session?: FakeSession): Promise<void> {
    if (durationMs > 0) await this.#clock.sleep(durationMs, signal)
    if (session !== undefined && this.#unreachable.has(session)) await never(signal)
    signal?.throwIfAborted()
  }
}

/** Settles only by the signal. */
function never(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal?.aborted === true) reject(signal.reason)
    else signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
