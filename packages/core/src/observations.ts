/** One per pool: what happens to its connections, told to all who want to know. */

import type { Clock, Moment } from './clock.ts'
import type { GovernedConnection } from './connection.ts'
import type { CredentialTarget } from './credentials.ts'
import { Diagnostics } from './diagnostics.ts'
import type { Dialect } from './dialect.ts'
import type { Knowledge } from './knowledge.ts'
import { LimitedLog } from './log.ts'
import { type PoolFacts, PoolMeter } from './meter.ts'
import type { ResolvedOptions } from './options/options.ts'
import { Place } from './place.ts'
import type { Random } from './random.ts'
import { Recorder } from './recorder.ts'
import type { Stats } from './stats.ts'

export interface ObservationsParts {
  readonly dialect: Dialect
  readonly options: ResolvedOptions
  readonly clock: Clock
  readonly random: Random
  readonly stats: Stats
  readonly knowledge: Knowledge
  readonly connections: ReadonlySet<GovernedConnection>
}

export class Observations {
  readonly log: LimitedLog
  readonly diagnostics: Diagnostics
  readonly recorder: Recorder
  readonly #parts: ObservationsParts
  readonly #place: Place
  readonly #meter: PoolMeter | undefined

  constructor(parts: ObservationsParts) {
    const { clock, connections, dialect, options, random, stats } = parts
    const place = new Place(options.fleet, dialect)
    const inWords = (): Place['inWords'] => place.inWords
    const { hooks, logger, meter, metrics: sink } = options
    this.#parts = parts
    this.#place = place
    this.log = new LimitedLog(logger, clock, inWords)
    this.diagnostics = new Diagnostics(hooks, inWords, this.log)
    this.recorder = new Recorder({
      clock,
      random,
      stats,
      log: this.log,
      sink,
      dimensions: () => place.dimensions,
    })
    this.#meter = meter && new PoolMeter({ meter, clock, connections, place })
  }

  /** What the driver's pool knows, for the meter. */
  set facts(facts: PoolFacts) {
    if (this.#meter !== undefined) this.#meter.facts = facts
  }

  /** A connection is to be opened. */
  opening(target: CredentialTarget | undefined): void {
    if (target !== undefined) this.#place.saw(target)
  }

  opened(governed: GovernedConnection, durationMs: number): void {
    const { observe } = this.recorder
    observe('AcquireTime', durationMs)
    if (this.#parts.stats.opened === 1) observe('ColdStartTime', durationMs)
    this.#meter?.opened(governed, durationMs)
    const { lease, number: connection } = governed
    const { keeper, leaseMs } = lease
    this.diagnostics.tell('open', () => ({ connection, durationMs, leaseMs, keeper }))
  }

  /** An open connection was handed out. Hot. */
  taken(governed: GovernedConnection): void {
    this.#meter?.taken(governed)
    if (this.diagnostics.checkout.hasSubscribers) this.#tell('checkout', governed)
  }

  /** The application gave it back. Hot. */
  givenBack(governed: GovernedConnection): void {
    this.#meter?.givenBack(governed)
    if (this.diagnostics.checkin.hasSubscribers) this.#tell('checkin', governed)
  }

  /** It took a ping before it was handed out. */
  pinged(governed: GovernedConnection, durationMs: number): void {
    this.recorder.sawWait(durationMs)
    this.#meter?.waited(governed, durationMs)
  }

  /** A request waited for a busy pool since `begun`, and has `governed` now. */
  waited(begun: Moment, governed: GovernedConnection | undefined): void {
    const waitedMs = begun.elapsedMs(this.#parts.clock)
    this.recorder.observe('PoolWaitTime', waitedMs)
    if (governed === undefined) return
    this.#meter?.waitedInAll(governed, waitedMs)
    // One that was opened meanwhile has told of itself.
    if (governed.lease.ageMs() >= waitedMs) this.recorder.sawWait(waitedMs)
  }

  /** A request waited in vain. */
  stayedBusy(message: string, details: { waitedMs: number; inUse: number; max: number }): void {
    const { waitedMs } = details
    const { pressure } = this.#parts.knowledge
    this.log.error('busy', message, details)
    this.recorder.observe('PoolWaitTime', waitedMs)
    this.#meter?.timedOut()
    const told = { kind: 'busy', code: 'ACQUIRE_TIMEOUT', attempts: 0, waitedMs, pressure } as const
    this.diagnostics.tell('giveUp', () => told)
  }

  /** Its lease ran out, so the pool drops it. */
  lapsed(governed: GovernedConnection): void {
    this.#parts.stats.lapsed += 1
    this.#tell('lapse', governed)
  }

  /** It is idle, and turned out to be dead. */
  lost(governed: GovernedConnection): void {
    this.#parts.stats.lost += 1
    this.#tell('lost', governed)
  }

  /** Its server has turned read-only: it is of no use to the next request. */
  turnedReadOnly(governed: GovernedConnection): void {
    this.#parts.stats.evicted += 1
    this.#tell('evict', governed)
  }

  /** It left the pool. */
  closed(governed: GovernedConnection): void {
    this.#meter?.closed(governed)
    const { lease, number: connection } = governed
    this.diagnostics.tell('close', () => ({ connection, ageMs: lease.ageMs() }))
  }

  /** After a response: sends what was measured where it is time to. Never rejects. */
  async flushWhenDue({ lease }: GovernedConnection): Promise<void> {
    if (this.recorder.due(lease)) await this.recorder.flush(false)
  }

  /** Sends what was measured and has not been sent, unless the sink pauses after a failure. Never rejects. */
  flush(): Promise<void> {
    return this.recorder.flush(false)
  }

  /** The same where there may be no next time: no pause counts. Ends within the sink's own limit. */
  flushLast(): Promise<void> {
    return this.recorder.flush(true)
  }

  /** The pool ends. */
  ends(): void {
    this.#meter?.end()
  }

  /** `done`, but not before what was measured is out: a program may exit in it. */
  afterFlush<A extends unknown[]>(done: (...args: A) => void): (...args: A) => void {
    if (!this.recorder.isOn) return done
    return (...args) => void this.flushLast().then(() => this.#parts.clock.defer(() => done(...args)))
  }

  #tell(
    name: 'checkout' | 'checkin' | 'lapse' | 'lost' | 'evict',
    { number: connection }: GovernedConnection,
  ): void {
    this.diagnostics.tell(name, () => ({ connection }))
  }
}
