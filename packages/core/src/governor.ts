/** One per pool: wires lease, policy, census and backoff together at the points where a pool calls. */

import type { FleetView } from './census.ts'
import { type Clock, Moment, systemClock } from './clock.ts'
import type { GovernedConnection, Hands } from './connection.ts'
import type { CredentialTarget } from './credentials.ts'
import { within } from './deadline.ts'
import type { Dialect } from './dialect.ts'
import { type Env, functionName, systemEnv } from './env.ts'
import { codeOf, LeaseholdError } from './errors.ts'
import { Housekeeping } from './housekeeping.ts'
import { Knowledge } from './knowledge.ts'
import { formatLabel } from './label.ts'
import { Lease } from './lease.ts'
import { LimitedLog } from './log.ts'
import { type Attempt, open } from './open.ts'
import type { ResolvedOptions } from './options/options.ts'
import { drawQuantumMs, leaseFor, leaseLadder, type LeaseStep } from './policy.ts'
import { type Random, systemRandom } from './random.ts'
import { newStats, type Stats } from './stats.ts'

/** Clock, randomness and environment; the system's own by default. */
export interface Surroundings {
  readonly clock?: Clock | undefined
  readonly random?: Random | undefined
  readonly env?: Env | undefined
}

/** What an adapter's connect must bring back. */
export interface Opened<T> {
  readonly connection: T
  readonly hands: Hands
  /** The lease that the server was asked to hold, or undefined when it would not. */
  readonly leaseMs: number | undefined
  /** False when the server may have chosen a longer lease than `leaseMs` by itself. */
  readonly exact: boolean
}

/** A ping has no longer than this: what takes longer is a black hole, and a request waits. */
const PING_LIMIT_MS = 1_000

/** `ready`: hand it over. `verify`: ask `alive()` first. `lapsed`: drop it and take another. */
export type Fitness = 'ready' | 'verify' | 'lapsed'

export class Governor {
  readonly options: ResolvedOptions
  readonly dialect: Dialect
  readonly clock: Clock
  readonly stats: Stats = newStats()
  readonly ladder: readonly LeaseStep[]
  readonly #random: Random
  readonly #env: Env
  readonly #knowledge: Knowledge
  readonly #log: LimitedLog
  readonly #housekeeping: Housekeeping
  readonly #connections = new Set<GovernedConnection>()
  #keeping = false
  #leaseRefused = false

  constructor(dialect: Dialect, options: ResolvedOptions, surroundings: Surroundings = {}) {
    this.options = options
    this.dialect = dialect
    this.clock = surroundings.clock ?? systemClock
    this.#random = surroundings.random ?? systemRandom
    this.#env = surroundings.env ?? systemEnv
    this.ladder = leaseLadder(options)
    this.#log = new LimitedLog(options.logger, this.clock)
    this.#knowledge = new Knowledge(options, this.clock, this.#random, this.#env)
    this.#housekeeping = new Housekeeping({
      dialect,
      options,
      clock: this.clock,
      random: this.#random,
      ladder: this.ladder,
      knowledge: this.#knowledge,
      stats: this.stats,
      leaseNotHeld: () => this.refuseLease('the server does not hold the lease it was asked for'),
      censusRefused: (error) => {
        this.stats.censusRefused += 1
        this.#log.once(
          'census-refused',
          `the server refuses the census (${codeOf(error)}); going on without it: leases stay long, nothing is yielded`,
        )
      },
    })
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
    return this.options.lease === 'server' && !this.#leaseRefused
  }

  /** The lease a new session asks for: short, until its first census knows better. */
  startLeaseMs(wasRefused: boolean): number {
    const { view, viewAgeMs } = this.#knowledge
    if (this.#housekeeping.refused) return this.options.maxLeaseMs
    if (wasRefused || view === undefined || viewAgeMs > this.options.censusEveryMs)
      return this.options.minLeaseMs
    return leaseFor(view, this.ladder)
  }

  /** The label of a session opened by an attempt. `name` defaults to the function's. */
  label(attempt: Pick<Attempt, 'publishedWaitMs'>, name?: string): string {
    return formatLabel({
      fleet: this.options.fleet,
      name: name ?? functionName(this.#env) ?? 'local',
      waitedMs: attempt.publishedWaitMs,
      openedEpochMs: this.clock.epochMs(),
    })
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
    const parts = {
      dialect: this.dialect,
      options: this.options,
      clock: this.clock,
      random: this.#random,
      knowledge: this.#knowledge,
      stats: this.stats,
      log: this.#log,
    }
    const attemptOnce = async (attempt: Attempt): Promise<Opened<T>> => {
      if (!this.asksForLease) return connect(attempt)
      try {
        return await connect(attempt)
      } catch (error) {
        if (!this.dialect.refusesLease(error)) throw error
        this.refuseLease('the server or a proxy before it refuses a lease at start-up')
        return connect(attempt)
      }
    }
    this.#knowledge.sawReturn()
    const opened = await open(parts, attemptOnce, signal, target)
    this.stats.opened += 1
    const governed = this.admit(opened)
    return { connection: opened.connection, governed }
  }

  /** Takes an open connection, checked out, under governance. `open` does this by itself. */
  admit(opened: Opened<unknown>): GovernedConnection {
    const byServer = opened.leaseMs !== undefined
    const leaseMs = opened.leaseMs ?? this.options.maxLeaseMs
    const governed: GovernedConnection = {
      lease: new Lease(this.clock, leaseMs, byServer ? 'server' : 'client'),
      hands: opened.hands,
      quantumMs: drawQuantumMs(this.#random),
      confirmed: opened.exact,
      proven: false,
      checkedOut: true,
      spoilt: false,
      checking: undefined,
      scheduled: false,
    }
    this.#connections.add(governed)
    this.#keepHeld()
    return governed
  }

  /** An open connection is about to be handed out. Hot: allocates nothing, awaits nothing. */
  checkout(governed: GovernedConnection): Fitness {
    const { lease } = governed
    if (governed.spoilt) return 'lapsed'
    const idleMs = lease.idleMs()
    this.#knowledge.sawGap(idleMs)
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
    this.stats.reused += 1
    if (!this.#keeping) this.#keepHeld()
  }

  /** Resolves to whether a doubtful connection still answers; never rejects, never takes longer than a ping may. */
  async alive(governed: GovernedConnection): Promise<boolean> {
    const limitMs = Math.min(this.options.connectTimeoutMs, PING_LIMIT_MS)
    try {
      const pending = governed.checking
      if (pending !== undefined) {
        const answered = await within(this.clock, limitMs, 'a census', () => pending)
        if (!answered || governed.spoilt) return false
        // Sent before a freeze, its answer has waited; the session may not have.
        if (governed.lease.idleMs() <= this.options.pingAfterIdleMs) return true
      }
      this.stats.pinged += 1
      const sent = new Moment(this.clock)
      await within(this.clock, limitMs, 'a ping', () => governed.hands.ping())
      governed.lease.touchSince(sent)
      return true
    } catch {
      return false
    }
  }

  /**
   * The server answered on this connection. Counts as activity only while the application has it,
   * and so awaits the answer; an answer to our own housekeeping may have waited through a freeze.
   */
  answered(governed: GovernedConnection): void {
    if (governed.checkedOut) governed.lease.touch()
  }

  /** The application gave it back and the pool keeps it. Hot: allocates only when something is due. */
  checkin(governed: GovernedConnection): void {
    governed.checkedOut = false
    if (governed.scheduled || this.options.lease === 'off') return
    if (!this.#housekeeping.due(governed)) return
    governed.scheduled = true
    this.clock.defer(() => {
      governed.scheduled = false
      if (this.#countable(governed)) void this.#housekeeping.run(governed)
    })
  }

  /** Idle, not being counted on already, and not lapsed: a dead session would only be waited for. */
  #countable(governed: GovernedConnection): boolean {
    return governed.checking === undefined && governed.lease.usable() && governed.hands.idle()
  }

  /** It left the pool, for whatever reason. */
  forget(governed: GovernedConnection): void {
    if (this.#connections.delete(governed) && !governed.checkedOut) this.#knowledge.sawEnd(governed.lease)
    governed.spoilt = true
    governed.checkedOut = false
  }

  /** From now on new sessions open without a server-side lease. Said once, counted every time. */
  refuseLease(why: string): void {
    this.stats.leaseRefused += 1
    this.#leaseRefused = true
    this.#log.once(
      'lease-refused',
      `${why}; idle connections are now dropped by this side alone, and pinged before use`,
    )
  }

  /** The error of a request that waited for a busy pool until its deadline. */
  busyError(waitedMs: number, inUse: number, max: number): LeaseholdError {
    this.stats.gaveUp += 1
    const message =
      `no connection free within ${Math.round(waitedMs)} ms: ${inUse} of ${max} of this pool are in use or opening; ` +
      'release connections sooner, raise the pool size, or do not wait for one while holding another'
    this.#log.error('busy', message)
    return new LeaseholdError('ACQUIRE_TIMEOUT', message)
  }

  /** Takes a census now on an idle connection, or resolves to the newest known one. */
  async census(): Promise<FleetView | undefined> {
    for (const governed of this.#connections) {
      if (!governed.checkedOut && this.#countable(governed)) {
        await this.#housekeeping.count(governed)
        break
      }
    }
    return this.view
  }

  /**
   * While the application holds connections, their leases are renewed before they run out: a lease
   * must never end a session that is in somebody's hands. Stops by itself when none is held.
   */
  #keepHeld(): void {
    if (this.#keeping || this.options.lease === 'off') return
    this.#keeping = true
    this.clock.later(this.options.minLeaseMs / 4, () => {
      this.#keeping = false
      let held = false
      for (const governed of this.#connections) {
        if (!governed.checkedOut) continue
        held = true
        void this.#renew(governed)
      }
      if (held) this.#keepHeld()
    })
  }

  async #renew(governed: GovernedConnection): Promise<void> {
    const { lease, hands } = governed
    if (governed.spoilt || lease.idleMs() < lease.leaseMs / 2 || !hands.quiet()) return
    this.stats.renewed += 1
    try {
      await hands.ping()
      this.answered(governed)
    } catch {
      // The application's next statement meets the driver's own error.
    }
  }
}
