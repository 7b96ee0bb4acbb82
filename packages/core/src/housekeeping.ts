/** What happens after a response: count the slots, move the lease to another tier, keep or yield, recall. */

import { ask } from './asking.ts'
import { type FleetView, pressureOf } from './census.ts'
import { type Clock, Moment } from './clock.ts'
import type { GovernedConnection } from './connection.ts'
import { within } from './deadline.ts'
import type { Diagnostics } from './diagnostics.ts'
import type { Dialect } from './dialect.ts'
import { codeOf, LeaseholdError } from './errors.ts'
import type { Knowledge } from './knowledge.ts'
import type { LeaseKeeper } from './lease.ts'
import type { LimitedLog } from './log.ts'
import type { ResolvedOptions } from './options/options.ts'
import { keeping, knowsQueue, young } from './policy-keeping.ts'
import { leaseFor, type LeaseStep, mostlyIdle } from './policy.ts'
import type { Random } from './random.ts'
import type { Reaper } from './reaper.ts'
import type { Recorder } from './recorder.ts'
import type { Stats } from './stats.ts'

/** A refused census is not asked for again before this: it may have been a statement timeout, or a right not granted yet. */
const REFUSED_FOR_MS = 60_000

export interface HousekeepingParts {
  readonly dialect: Dialect
  readonly options: ResolvedOptions
  readonly clock: Clock
  readonly random: Random
  readonly ladder: readonly LeaseStep[]
  readonly knowledge: Knowledge
  readonly stats: Stats
  readonly reaper: Reaper
  readonly recorder: Recorder
  readonly diagnostics: Diagnostics
  readonly log: LimitedLog
  /** The census found a session without the lease that it was opened with. */
  readonly leaseNotHeld: () => void
}

export class Housekeeping {
  readonly #parts: HousekeepingParts
  #refusedAt: Moment | undefined
  #wanted: { readonly view: FleetView | undefined; readonly leaseMs: number } = {
    view: undefined,
    leaseMs: 0,
  }

  constructor(parts: HousekeepingParts) {
    this.#parts = parts
  }

  /** The server would not answer a census lately: leases stay as they are opened. */
  get refused(): boolean {
    return this.#refusedAt !== undefined && this.#refusedAt.elapsedMs(this.#parts.clock) < REFUSED_FOR_MS
  }

  /** Whether anything is to be done for a connection that was just given back. Hot. */
  due(governed: GovernedConnection): boolean {
    const { knowledge } = this.#parts
    if (governed.checking !== undefined) return false
    // Without a census nothing is due but to send what was measured.
    if (this.refused) return this.#parts.recorder.due(governed.lease)
    if (!governed.confirmed || this.#censusDue(governed)) return true
    if (knowledge.isCalm) return this.#leaseIsStale(governed)
    return true
  }

  /** Counts, then keeps or yields; recalls where it keeps and slots are short. Never rejects: housekeeping that fails leaves a plain pool. */
  async run(governed: GovernedConnection): Promise<void> {
    if (this.refused) return
    const { recorder } = this.#parts
    const { ranMs } = await recorder.timed(() => this.#run(governed))
    if (ranMs !== undefined) recorder.observe('HousekeepingTime', ranMs)
  }

  async #run(governed: GovernedConnection): Promise<void> {
    const { knowledge } = this.#parts
    const wantsCensus = !governed.confirmed || this.#censusDue(governed) || this.#leaseIsStale(governed)
    let decision = this.#decide(governed)
    if (decision !== 'yield' && wantsCensus) decision = 'look'
    if (decision === 'look') {
      if (!(await this.count(governed))) return
      // The environment may have been frozen meanwhile: then the next checkin decides by this census.
      if (governed.spoilt || !governed.hands.idle()) return
      decision = this.#decide(governed)
    }
    if (decision !== 'yield') {
      // Whoever has no use for his own slot gives that one up, and takes nobody else's.
      const mostCount = this.#parts.reaper.wanted(governed)
      if (mostCount > 0) await this.#parts.reaper.recall(governed, mostCount)
      return
    }
    this.#parts.stats.yielded += 1
    knowledge.sawYield()
    governed.hands.yield()
    // Told when it is done: whoever hears of it may ask the pool for a connection at once.
    this.#parts.diagnostics.tell('yield', () => ({
      connection: governed.number,
      pressure: knowledge.pressure,
    }))
  }

  #decide(governed: GovernedConnection): 'keep' | 'look' | 'yield' {
    const { knowledge, options, random } = this.#parts
    return keeping(
      {
        view: knowledge.view,
        viewAgeMs: knowledge.viewAgeMs,
        queued: governed.queued,
        refused: governed.refused,
        late: governed.late,
        heldMs: governed.lease.ageMs(),
        first: governed.number === 1,
        quantumMs: governed.quantumMs,
        gapMs: knowledge.gapMs,
        connectMs: knowledge.connectMs,
        fresh: knowledge.useView(),
      },
      options,
      random,
    )
  }

  #censusDue({ lease, queued, refused }: GovernedConnection): boolean {
    const { knowledge } = this.#parts
    if (!knowledge.censusDue(lease)) return false
    const { view, viewAgeMs } = knowledge
    return !queued || !knowsQueue({ view, viewAgeMs, queued, refused, heldMs: lease.ageMs() })
  }

  /** The newest view calls for another tier than the one this connection has. */
  #leaseIsStale(governed: GovernedConnection): boolean {
    const { view } = this.#parts.knowledge
    if (governed.lease.keeper === 'client' || view === undefined) return false
    return this.#wantedMs(view) !== governed.lease.leaseMs
  }

  /** The lease that `view` calls for, in whole steps of the server's granularity. Worked out once a view. */
  #wantedMs(view: FleetView): number {
    if (view !== this.#wanted.view) {
      const { dialect, ladder } = this.#parts
      const { leaseGranularityMs } = dialect
      const leaseMs = Math.ceil(leaseFor(view, ladder) / leaseGranularityMs) * leaseGranularityMs
      this.#wanted = { view, leaseMs }
    }
    return this.#wanted.leaseMs
  }

  /**
   * Takes a census before the first statement on a session that was refused, where it is an environment's first, or had to
   * wait for longer than is usual: after the response the environment is mostly frozen before the server has answered, and
   * must know by then whether others need its slot more. Where slots are held by sessions that do nothing, it recalls
   * some of them as well, for it will give its own up. Never rejects, and is waited for no longer than `leftMs`: a
   * request waits behind it.
   */
  async countFirst(governed: GovernedConnection, leftMs: number): Promise<void> {
    const { hands, late, lease, number, refused } = governed
    if (!refused || (number > 1 && !late) || !hands.pooled || lease.keeper === 'client' || this.refused)
      return
    const { clock, options } = this.#parts
    const limitMs = Math.min(leftMs, options.connectTimeoutMs)
    await within(clock, limitMs, 'a first census', () => this.#countAndRecall(governed)).catch(() => {})
  }

  async #countAndRecall(governed: GovernedConnection): Promise<void> {
    if (!(await this.count(governed))) return
    const { knowledge, reaper } = this.#parts
    const mostCount = reaper.wanted(governed)
    if (mostCount > 0 && knowledge.view !== undefined && mostlyIdle(knowledge.view)) {
      await reaper.recall(governed, mostCount)
    }
  }

  /** Takes one census on an idle connection and sets its lease; resolves to whether there is one now. */
  async count(governed: GovernedConnection): Promise<boolean> {
    const { stats } = this.#parts
    const censuses = stats.censuses
    const alive = await ask(
      this.#parts,
      governed,
      'a census',
      () => this.#count(governed),
      (error) => this.#failed(governed, error),
    )
    return alive && stats.censuses > censuses
  }

  /** Whether the connection survives a failed census: a refused statement does not cost it. */
  async #failed(governed: GovernedConnection, error: unknown): Promise<boolean> {
    const { clock, dialect, log, options, stats } = this.#parts
    if (this.#isGone(error)) return false
    if (dialect.classify(error) === 'transient') return true
    this.#refusedAt ??= new Moment(clock)
    this.#refusedAt.set(clock)
    stats.censusRefused += 1
    log.once(
      'census-refused',
      `the server refuses the census (${codeOf(error)}); going on without it: leases stay long, nothing is yielded`,
    )
    governed.confirmed = true
    if (governed.lease.keeper === 'client') return true
    // Nobody will set this lease for a while, so it must not stay the short one of the start.
    try {
      const statement = dialect.setLease(options.maxLeaseMs, governed.lease.leaseMs)
      await within(clock, options.connectTimeoutMs, 'setting a lease', () => governed.hands.run(statement))
      this.#grant(governed, options.maxLeaseMs)
      return true
    } catch (refusal) {
      return !this.#isGone(refusal)
    }
  }

  /** On an open session "cannot be reached" means that it is lost: a socket that timed out says so. */
  #isGone(error: unknown): boolean {
    if (LeaseholdError.is(error)) return true
    const kind = this.#parts.dialect.classify(error)
    return kind === 'lost' || kind === 'starting'
  }

  async #count(governed: GovernedConnection): Promise<void> {
    const { clock, diagnostics, dialect, knowledge, ladder, recorder, stats } = this.#parts
    const { lease, hands } = governed
    const sent = new Moment(clock)
    const { value, ranMs } = await recorder.timed(() =>
      hands.run(dialect.censusAndLease(lease.leaseMs, ladder)),
    )
    const { census, leaseMs } = dialect.parseCensus(value)
    stats.censuses += 1
    this.#refusedAt = undefined
    const isYoung = young({ first: governed.number === 1, heldMs: lease.ageMs() })
    const view = knowledge.learn(census, sent, isYoung)
    this.#parts.reaper.sawCensus(view)
    recorder.sawCensus(view, ranMs)
    diagnostics.tell('census', () => ({ ...view, pressure: pressureOf(view) }))
    lease.touchSince(sent)
    governed.confirmed = true
    if (lease.keeper === 'client') return
    if (leaseMs === undefined) {
      // A session that held its lease before lost it by the application's own doing; one that never did says
      // something of the server.
      if (!governed.proven) this.#parts.leaseNotHeld()
      this.#grant(governed, this.#parts.options.maxLeaseMs, 'client')
      return
    }
    governed.proven = true
    this.#grant(governed, leaseMs)
    const wantedMs = this.#wantedMs(view)
    if (wantedMs === leaseMs) return
    await hands.run(dialect.setLease(wantedMs, leaseMs))
    this.#grant(governed, wantedMs)
  }

  #grant(governed: GovernedConnection, leaseMs: number, keeper?: LeaseKeeper): void {
    const { lease } = governed
    const isOther = leaseMs !== lease.leaseMs || (keeper !== undefined && keeper !== lease.keeper)
    lease.grant(leaseMs, keeper)
    if (!isOther) return
    const details = { connection: governed.number, leaseMs, keeper: lease.keeper }
    this.#parts.diagnostics.tell('lease', () => details)
  }
}
