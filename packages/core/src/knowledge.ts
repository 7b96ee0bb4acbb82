/** What one environment knows of the fleet: the newest census, and its own recent past. */

import { type Census, censusIntervalMs, type FleetView, pressureOf, viewOf } from './census.ts'
import { type Clock, Moment } from './clock.ts'
import { type Env, invocationMark } from './env.ts'
import type { Lease } from './lease.ts'
import type { ResolvedOptions } from './options/options.ts'
import { calmForMs } from './policy-keeping.ts'
import { calm, contended } from './policy.ts'
import type { Random } from './random.ts'

/** Own idle gaps and connects are averaged with this weight for the newest. */
const NEWEST_WEIGHT = 0.5
/** A wait of one's own says something of the others', and costs no census. */
const OWN_WAIT_WEIGHT = 0.3

export class Knowledge {
  readonly #clock: Clock
  readonly #random: Random
  readonly #env: Env
  readonly #options: ResolvedOptions
  readonly #viewTaken: Moment
  readonly #yielded: Moment
  #yieldedIn: string | undefined
  #hasYielded = false
  #refusedCount: number | undefined
  #nextCensusMs = 0
  #view: FleetView | undefined
  #isUnused = false
  #isCalm = false
  #isContended = false
  #gapMs = 0
  #gone: Lease | undefined
  #connectMs = 0
  #turnMs: number | undefined

  constructor(options: ResolvedOptions, clock: Clock, random: Random, env: Env) {
    this.#options = options
    this.#clock = clock
    this.#random = random
    this.#env = env
    this.#viewTaken = new Moment(clock)
    this.#yielded = new Moment(clock)
  }

  get view(): FleetView | undefined {
    return this.#view
  }

  get viewAgeMs(): number {
    return this.#view === undefined ? Number.POSITIVE_INFINITY : this.#viewTaken.elapsedMs(this.#clock)
  }

  get pressure(): number | undefined {
    return this.#view === undefined ? undefined : pressureOf(this.#view)
  }

  /** Mean idle gap between uses of this environment's connections, in milliseconds. */
  get gapMs(): number {
    return this.#gapMs
  }

  /** Mean time that this environment's successful connects took, in milliseconds; 0 before the first. */
  get connectMs(): number {
    return this.#connectMs
  }

  get isCalm(): boolean {
    return this.#isCalm
  }

  get isContended(): boolean {
    return this.#isContended
  }

  /**
   * @param sent when the census was asked for: its answer may have waited through a freeze to be read
   * @param isYoung it was asked for on the first session of this environment, which is new
   */
  learn(census: Census, sent: Moment = new Moment(this.#clock), isYoung = false): FleetView {
    const view = viewOf(census, this.#options.fleet, sent.epochMs, this.#refusedCount)
    this.#refusedCount = census.refusedCount
    this.#view = view
    this.#viewTaken.copy(sent)
    this.#isUnused = true
    this.#isCalm = calm(view, this.#options)
    this.#isContended = contended(view)
    // Jittered, so that environments that started together do not count together for ever.
    const { censusEveryMs } = this.#options
    const everyMs = this.#isCalm
      ? calmForMs(view, censusEveryMs, isYoung)
      : censusIntervalMs(censusEveryMs, view.usedCount)
    this.#nextCensusMs = everyMs * (0.75 + 0.5 * this.#random.next())
    return view
  }

  /**
   * No census has been taken for longer than the (jittered) interval. Judged by when the server last
   * answered on `lease`, so that a checkin reads no clock.
   */
  censusDue(lease: Lease): boolean {
    return this.#view === undefined || lease.answeredAfter(this.#viewTaken, this.#nextCensusMs)
  }

  /** True for the first decision after a census, and for that one only. */
  useView(): boolean {
    const isUnused = this.#isUnused
    this.#isUnused = false
    return isUnused
  }

  /** A connection was used again after `idleMs`. */
  sawGap(idleMs: number): void {
    this.#gone = undefined
    this.#gapMs += (idleMs - this.#gapMs) * NEWEST_WEIGHT
  }

  /** An idle connection went, yielded or ended by the server: the gap that it was in goes on. */
  sawEnd(lease: Lease): void {
    this.#gone = lease
  }

  /**
   * A connection is to be opened, so the gap is over: whoever yields at once for his long gaps has
   * no open connection by which to learn that they are short now.
   */
  sawReturn(): void {
    if (this.#gone !== undefined) this.sawGap(this.#gone.idleMs())
  }

  /** A connect succeeded; its last attempt took `durationMs`. */
  sawConnect(durationMs: number): void {
    const weight = this.#connectMs === 0 ? 1 : NEWEST_WEIGHT
    this.#connectMs += (durationMs - this.#connectMs) * weight
  }

  /** From the last yield but one until a newcomer was let in again; undefined where that did not have to wait. */
  get turnMs(): number | undefined {
    return this.#turnMs
  }

  /** A newcomer was let in so long after this environment had yielded; undefined where it owed no courtesy. */
  sawTurn(turnMs: number | undefined): void {
    this.#turnMs = turnMs
  }

  /** A newcomer of this environment was let in after a wait, and tells the fleet that it took so long. */
  sawWait(publishedMs: number): void {
    const view = this.#view
    if (view?.typicalWaitMs === undefined || publishedMs === 0) return
    const typicalWaitMs = view.typicalWaitMs + (publishedMs - view.typicalWaitMs) * OWN_WAIT_WEIGHT
    this.#view = { ...view, typicalWaitMs }
  }

  sawYield(): void {
    this.#hasYielded = true
    this.#yielded.set(this.#clock)
    this.#yieldedIn = invocationMark(this.#env)
  }

  /** Since the last yield, unless it was in this very invocation: then no courtesy is owed. */
  sinceYieldMs(): number | undefined {
    if (!this.#hasYielded) return undefined
    const mark = invocationMark(this.#env)
    if (mark !== undefined && mark === this.#yieldedIn) return undefined
    return this.#yielded.elapsedMs(this.#clock)
  }
}
