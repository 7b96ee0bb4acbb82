/** One per pool: wires lease, policy, census and backoff together at the points where a pool calls. */

import { answers } from './answers.ts'
import { Asker, outsideInvocations } from './asker.ts'
import type { FleetView } from './census.ts'
import { type Clock, systemClock } from './clock.ts'
import type { GovernedConnection, Opened } from './connection.ts'
import type { CredentialTarget } from './credentials.ts'
import { Deadline } from './deadline.ts'
import type { Dialect } from './dialect.ts'
import { runsSeveralInvocations, systemEnv } from './env.ts'
import { openInPlace } from './environment-place.ts'
import type { LeaseholdError } from './errors.ts'
import { busyError } from './giving-up.ts'
import { Held, type HeldParts } from './held.ts'
import { Housekeeping } from './housekeeping.ts'
import { type Invocation, type InvocationContext, type InvocationsOfPool, NOBODYS } from './invocation.ts'
import { Invocations } from './invocations.ts'
import { Knowledge } from './knowledge.ts'
import { acquireLimitMs, statementLimits } from './limits.ts'
import { Observations } from './observations.ts'
import { flushAtFarewell, openSessions } from './open-sessions.ts'
import type { Attempt, OpenParts } from './open.ts'
import { AT_ONCE, Opening, type Turn } from './opening.ts'
import type { ResolvedOptions } from './options/options.ts'
import { leaseLadder, type LeaseStep } from './policy.ts'
import { afterResponse, type OpenSessions, processWide } from './process-wide.ts'
import { systemRandom } from './random.ts'
import { Reaper } from './reaper.ts'
import { type RecallTerms, recallTerms } from './recall.ts'
import { poolMax } from './share.ts'
import { SideBySide } from './side-by-side.ts'
import { type StatementParts, Statements } from './statements.ts'
import { newStats, type Stats } from './stats.ts'
import type { StatementLimits } from './stopping.ts'
import type { Surroundings } from './surroundings.ts'
import type { TransactionParts } from './transaction.ts'

/** From one invocation to the next there are two messages at least: no gap shorter than this hides a boundary. */
const BOUNDARY_MS = 0.2

type GovernorParts = HeldParts &
  StatementParts & { readonly ladder: readonly LeaseStep[] } & Pick<OpenParts, 'pace' | 'observe'>

/** `ready`: hand it over. `verify`: ask `alive()` first. `lapsed`: drop it and take another. */
export type Fitness = 'ready' | 'verify' | 'lapsed'

export class Governor {
  readonly options: ResolvedOptions
  readonly dialect: Dialect
  readonly clock: Clock
  readonly stats: Stats = newStats()
  readonly ladder: readonly LeaseStep[]
  readonly statements: Statements
  /** What happens is told here: to metrics, events, the meter and the log. */
  readonly observations: Observations
  readonly #invocations: InvocationsOfPool
  readonly #knowledge: Knowledge
  readonly #housekeeping: Housekeeping
  readonly #reaper: Reaper
  readonly #connections = new Set<GovernedConnection>()
  readonly #sessions: OpenSessions = openSessions(this.#connections)
  readonly #held: Held
  readonly #parts: GovernorParts
  readonly #opening: Opening

  constructor(dialect: Dialect, options: ResolvedOptions, surroundings: Surroundings = {}) {
    this.options = options
    this.dialect = dialect
    this.clock = surroundings.clock ?? systemClock
    this.ladder = leaseLadder(options)
    const { clock, ladder, stats } = this
    const { random = systemRandom, env = systemEnv } = surroundings
    this.#knowledge = new Knowledge(options, clock, random, env)
    this.#invocations = runsSeveralInvocations(env) ? new SideBySide(clock) : new Invocations(clock, env)
    const [knowledge, connections] = [this.#knowledge, this.#connections]
    const shared = { dialect, options, clock, random, stats, knowledge, connections }
    this.observations = new Observations(shared)
    const { diagnostics, log, recorder } = this.observations
    if (recorder.isOn) flushAtFarewell(recorder)
    this.#parts = {
      ...shared,
      env,
      ladder,
      log,
      diagnostics,
      observe: recorder.observe,
      invocations: this.#invocations,
      pace: surroundings.pace,
      spendableMs: () => this.spendableMs(),
    }
    this.statements = new Statements(this.#parts)
    this.#held = new Held(this.#parts)
    this.#reaper = new Reaper({ ...this.#parts, terms: () => this.#recallTerms() })
    this.#opening = new Opening({ ...this.#parts, reaper: this.#reaper, observations: this.observations })
    this.#housekeeping = new Housekeeping({
      ...this.#parts,
      reaper: this.#reaper,
      recorder,
      leaseNotHeld: () => this.refuseLease('the server does not hold the lease it was asked for'),
    })
  }

  /** What `runTransaction` needs besides the adapter's hands. */
  get transactionParts(): TransactionParts {
    return this.#parts
  }

  /** The newest census, or undefined before the first. */
  get view(): FleetView | undefined {
    return this.#knowledge.view
  }

  get connections(): ReadonlySet<GovernedConnection> {
    return this.#connections
  }

  /** Whether new sessions ask the server for a lease. */
  get asksForLease(): boolean {
    return this.#opening.asksForLease
  }

  /**
   * The lease a new session asks for: the shortest where it had to wait for its slot; else short, until its
   * first census knows better.
   */
  startLeaseMs(queued: boolean): number {
    return this.#housekeeping.refused ? this.options.maxLeaseMs : this.#opening.startLeaseMs(queued)
  }

  /** When a session opened now may be recalled; undefined where no server holds its lease. */
  get recallTerms(): RecallTerms | undefined {
    return this.asksForLease ? this.#recallTerms() : undefined
  }

  #recallTerms(): RecallTerms {
    return recallTerms(this.options.pingAfterIdleMs, this.#invocations.longestMs)
  }

  /**
   * The label of a session opened by an attempt. `name` defaults to the function's.
   *
   * @param recall when it may be recalled: left out for a connection that lives in no pool
   */
  label(attempt: Pick<Attempt, 'publishedWaitMs'>, name?: string, recall?: RecallTerms): string {
    return this.#opening.label(attempt, name, recall)
  }

  /**
   * Opens one connection. `connect` makes one attempt and answers for what it opened: when its
   * signal aborts, it closes it.
   *
   * @param target what the pool's source of credentials is asked for, where it has one
   */
  async open<T>(
    connect: (attempt: Attempt) => Promise<Opened<T>>,
    signal?: AbortSignal,
    target?: CredentialTarget,
  ): Promise<{ connection: T; governed: GovernedConnection }> {
    const { places } = processWide()
    const limitMs = this.acquireLimitMs
    const limit = new Deadline(this.clock, limitMs)
    const connectOutside = (attempt: Attempt) => outsideInvocations(() => connect(attempt))
    const attemptOnce = this.#invocations.areConcurrent ? connectOutside : connect
    const inTime = (leftMs: number) =>
      this.#opening.open(attemptOnce, leftMs, signal, target, (opened, turn) => this.admit(opened, turn))
    const opened = await (places === undefined
      ? inTime(limitMs)
      : openInPlace(places, this.clock, limitMs, signal, inTime))
    const { governed } = opened
    await this.#housekeeping.countFirst(governed, limit.leftMs())
    // It ended meanwhile, and no adapter watches it yet.
    if (governed.spoilt) this.forget(governed)
    return opened
  }

  /**
   * Takes an open connection, checked out, under governance. `open` does this by itself.
   *
   * @param turn whether it had to wait for its slot
   */
  admit(opened: Opened<unknown>, turn: Turn = AT_ONCE): GovernedConnection {
    const governed = this.#opening.admit(opened, turn, this.#taker)
    this.#connections.add(governed)
    processWide().sessions.add(this.#sessions)
    this.#held.keep()
    return governed
  }

  /** An open connection is about to be handed out. Hot: allocates nothing, awaits nothing. */
  checkout(governed: GovernedConnection): Fitness {
    const { lease } = governed
    if (governed.spoilt) return 'lapsed'
    const idleMs = lease.idleMs()
    this.#knowledge.sawGap(idleMs)
    if (idleMs >= BOUNDARY_MS && this.#held.leftOpen(governed)) return 'lapsed'
    if (governed.checking !== undefined) return 'verify'
    if (this.options.lease !== 'off' && !lease.usable(idleMs)) {
      // Not confirmed: the server may have granted more than we were told, so ask.
      return governed.confirmed || idleMs >= this.options.maxLeaseMs ? 'lapsed' : 'verify'
    }
    return idleMs > this.options.pingAfterIdleMs ? 'verify' : 'ready'
  }

  /** The application has it now. */
  handedOver(governed: GovernedConnection): void {
    governed.checkedOut = true
    governed.invocation = this.#taker
    this.stats.reused += 1
    this.#held.keep()
    this.observations.taken(governed)
  }

  /** Before a request waits for a busy pool: what an earlier invocation left checked out makes room. */
  noticeInvocation(): void {
    this.#held.noticeInvocation()
    processWide().places?.wanted?.()
  }

  /** Who asks for a connection now; undefined where one invocation runs after the other, and nobody need know. */
  asker(): Asker | undefined {
    if (!this.#invocations.areConcurrent) return undefined
    return new Asker(this.#invocations.current, (governed, invocation) => {
      governed.invocation = invocation
      this.#invocations.took(invocation)
    })
  }

  /** Side by side, whose it is becomes known when the asker has it. */
  get #taker(): Invocation {
    return this.#invocations.areConcurrent ? NOBODYS : this.#invocations.current
  }

  /** The size of a pool that was given none; undefined leaves it to the driver. */
  get poolMax(): number | undefined {
    return poolMax(this.#parts.env, this.options, processWide().places)
  }

  /** The handler says which invocation this is, and how much time it has. */
  enter(context: InvocationContext): void {
    if (this.#invocations.enter(context)) this.#held.reclaim()
  }

  /** How long a request may wait. Looks first whether an invocation before still holds what it waits for. */
  get acquireLimitMs(): number {
    this.#held.noticeInvocation()
    return acquireLimitMs(this.options.acquireTimeoutMs, this.spendableMs())
  }

  /** What is left of the invocation, less a reserve for the answer; undefined where it is not known. */
  spendableMs(): number | undefined {
    return this.#invocations.spendableMs()
  }

  /**
   * The limits of one statement, from its own options and the pool's; undefined where it has none.
   *
   * @throws LeaseholdError `INVALID_OPTIONS` where its own timeout is not one
   */
  limitsOf(own: StatementLimits): StatementLimits | undefined {
    return statementLimits(own, this.options.queryTimeoutMs, this.#invocations.enteredMs())
  }

  /** Runs the application's `onSession` on a new session. `connection` is what it is given. */
  async prepareSession(connection: unknown, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    await this.options.onSession?.(connection)
    signal.throwIfAborted()
  }

  /** Resolves to whether a doubtful connection still answers; never rejects, never takes longer than a ping may. */
  alive(governed: GovernedConnection): Promise<boolean> {
    return answers(this, governed)
  }

  /**
   * The server answered on this connection. Counts as activity only while the application has it,
   * and so awaits the answer; an answer to our own housekeeping may have waited through a freeze.
   */
  answered(governed: GovernedConnection): void {
    if (governed.checkedOut) governed.lease.touch()
  }

  /** Whether one that is given back must not be kept: spoilt, or inside a transaction that another would go on with. */
  endsAtCheckin(governed: GovernedConnection): boolean {
    if (this.#invocations.areConcurrent && !governed.spoilt) this.#held.leftOpen(governed)
    return governed.spoilt || (governed.place !== undefined && processWide().places?.isOver === true)
  }

  /** The application gave it back and the pool keeps it. Hot: allocates only when something is due. */
  checkin(governed: GovernedConnection): void {
    governed.checkedOut = false
    this.observations.givenBack(governed)
    if (governed.scheduled || !this.#isDue(governed)) return
    governed.scheduled = true
    afterResponse(this.clock, async () => {
      governed.scheduled = false
      const flushed = this.observations.flushWhenDue(governed)
      if (this.options.lease !== 'off' && this.#countable(governed)) await this.#housekeeping.run(governed)
      await flushed
    })
  }

  /** Hot: where a census is taken now and then, metrics are sent along with it, and not asked about here. */
  #isDue(governed: GovernedConnection): boolean {
    if (this.options.lease !== 'off') return this.#housekeeping.due(governed)
    return this.observations.recorder.due(governed.lease)
  }

  /** Idle, not being counted on already, and not lapsed: a dead session would only be waited for. */
  #countable(governed: GovernedConnection): boolean {
    return governed.checking === undefined && governed.lease.usable() && governed.hands.idle()
  }

  /** It left the pool, for whatever reason. */
  forget(governed: GovernedConnection): void {
    if (this.#connections.delete(governed)) {
      if (!governed.checkedOut) this.#knowledge.sawEnd(governed.lease)
      this.observations.closed(governed)
    }
    if (this.#connections.size === 0) processWide().sessions.delete(this.#sessions)
    governed.spoilt = true
    governed.checkedOut = false
    governed.place?.leave()
    governed.place = undefined
  }

  /** From now on new sessions open without a server-side lease. Said once, counted every time. */
  refuseLease(why: string): void {
    this.#opening.refuseLease(why)
  }

  /** The error of a request that waited for a busy pool until its deadline. */
  busyError(waitedMs: number, inUse: number, max: number): LeaseholdError {
    this.stats.gaveUp += 1
    return busyError(this.observations, { waitedMs: Math.round(waitedMs), inUse, max })
  }

  /** Takes a census now on an idle connection, or resolves to the newest known one. */
  async census(): Promise<FleetView | undefined> {
    const idle = this.#idle()
    if (idle !== undefined) await this.#housekeeping.count(idle)
    return this.view
  }

  /** Recalls idle sessions of the fleet's now, on an idle connection; resolves to how many were ended. */
  async reap(): Promise<number> {
    const idle = this.#idle()
    return idle === undefined ? 0 : this.#reaper.reap(idle)
  }

  #idle(): GovernedConnection | undefined {
    return [...this.#connections].find((one) => !one.checkedOut && this.#countable(one))
  }
}
