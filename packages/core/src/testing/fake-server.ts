import { type Clock, Moment, systemClock } from '../clock.ts'
import { type FakeCensusRow, leaseIn, type OwnStatement, readOwnStatement } from './fake-dialect.ts'
import { type FakeErrorCode, FakeServerError } from './fake-errors.ts'
import { FakeSession, type SessionHost } from './fake-session.ts'

const WRITE = /^\s*(?:insert|update|delete|create|alter|drop|truncate)\b/i
const SLEEP = /^\s*sleep\s+(\d+)\s*$/i

export interface FakeServerOptions {
  /** @defaultValue the system's clock */
  readonly clock?: Clock | undefined
  /** How many sessions may be open at once. @defaultValue 10 */
  readonly slotCount?: number | undefined
  /** How long an answer travels, in milliseconds; 0 answers within the turn. @defaultValue 0 */
  readonly roundTripMs?: number | undefined
  /** How long the answer to a connect travels, a refusal included. @defaultValue `roundTripMs` */
  readonly connectMs?: number | undefined
  /** The only password that logs in; undefined: any does. @defaultValue undefined */
  readonly password?: string | undefined
  /** The rows of an application's statement. @defaultValue none */
  readonly reply?: ((statement: string, session: FakeSession) => readonly unknown[]) | undefined
}

/** What a client says when it connects. */
export interface FakeConnectRequest {
  readonly password?: string | undefined
  /** What the session calls itself in a census. */
  readonly label?: string | undefined
  /** The lease asked for at start-up, in milliseconds. */
  readonly leaseMs?: number | undefined
  /** Gives up waiting for the answer, and closes what arrives late. */
  readonly signal?: AbortSignal | undefined
}

/**
 * A database server in memory. It has a limited number of slots, ends idle sessions by the lease
 * that it holds for them (its clock goes on while a client is frozen), answers the census of
 * `fakeDialect`, and can be restarted, made read-only, or cut off. Its fields may be changed at any
 * time and count from the next message on.
 *
 * What is lost in a black hole stays lost: a statement that nothing answered is not answered later.
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
  /** Nothing gets through, in either direction: no answer, no refusal, no end of a session. */
  blackHole = false
  /** Every statement of the application's that the server has read, in order. */
  readonly statements: string[] = []
  readonly #clock: Clock
  readonly #reply: (statement: string, session: FakeSession) => readonly unknown[]
  readonly #sessions = new Set<FakeSession>()
  readonly #failures: FakeErrorCode[] = []
  /** The newest watch of each session; older ones find that they are not it, and end. */
  readonly #watches = new WeakMap<FakeSession, symbol>()
  #refusedCount = 0
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
    if (this.blackHole) await never(signal)
    const problem = this.#problemWith(request)
    if (problem !== undefined) {
      await this.#travel(this.connectMs, signal)
      throw problem
    }
    const leaseMs = this.leases === 'held' ? request.leaseMs : undefined
    const session = new FakeSession(this, this.#clock, request.label ?? '', leaseMs)
    this.#sessions.add(session)
    this.#watch(session)
    try {
      await this.#travel(this.connectMs, signal)
    } catch (error) {
      session.close()
      throw error
    }
    return session
  }

  async serve(session: FakeSession, text: string, signal: AbortSignal): Promise<readonly unknown[]> {
    if (this.blackHole) await never(signal)
    this.#endIfLapsed(session)
    if (!this.#sessions.has(session)) throw new FakeServerError('FAKE_RESET', 'the server knows no such session')
    const { server } = session
    server.busy = true
    let answer: readonly unknown[] | FakeServerError
    try {
      answer = await this.#execute(session, text, signal)
    } finally {
      server.busy = false
      server.lastActive.set(this.#clock)
    }
    await this.#travel(this.roundTripMs, signal)
    if (answer instanceof FakeServerError) throw answer
    return answer
  }

  closed(session: FakeSession): void {
    if (!this.blackHole) this.#sessions.delete(session)
  }

  /** Ends one session, as `pg_terminate_backend` or `kill` does. Its client hears of it as soon as it runs. */
  terminate(session: FakeSession): void {
    this.#end(session, new FakeServerError('FAKE_TERMINATED', 'the session was ended by an operator'))
  }

  /** Ends all sessions and counts from nothing. Connects fail with `FAKE_STARTING` for `downMs`. */
  restart(downMs = 0): void {
    for (const session of this.#sessions) {
      this.#end(session, new FakeServerError('FAKE_TERMINATED', 'the server is shutting down'))
    }
    this.#refusedCount = 0
    this.#down = { since: new Moment(this.#clock), forMs: downMs }
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
    if (this.readOnly && WRITE.test(text)) {
      return new FakeServerError('FAKE_READ_ONLY', 'cannot write: the server is read-only')
    }
    const busyMs = SLEEP.exec(text)?.[1]
    if (busyMs !== undefined) await this.#clock.sleep(Number(busyMs), signal)
    if (/^\s*begin\b/i.test(text)) session.server.inTransaction = true
    if (/^\s*(?:commit|rollback)\b/i.test(text)) session.server.inTransaction = false
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

  #end(session: FakeSession, error: FakeServerError): void {
    if (!this.#sessions.delete(session) || this.blackHole) return
    this.#clock.defer(() => session.hearEnd(error))
  }

  async #travel(durationMs: number, signal: AbortSignal | undefined): Promise<void> {
    if (this.blackHole) await never(signal)
    if (durationMs > 0) await this.#clock.sleep(durationMs, signal)
    else signal?.throwIfAborted()
  }
}

/** Settles only by the signal. */
function never(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal?.aborted === true) reject(signal.reason)
    else signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
