/** Recalls sessions of the fleet's when slots are short: when, by `recall.ts`; how, by the dialect. */

import { ask } from './asking.ts'
import { type FleetView, pressureOf } from './census.ts'
import { type Clock, Moment } from './clock.ts'
import type { GovernedConnection } from './connection.ts'
import type { Diagnostics } from './diagnostics.ts'
import type { Dialect } from './dialect.ts'
import { codeOf, LeaseholdError } from './errors.ts'
import type { Knowledge } from './knowledge.ts'
import type { LimitedLog } from './log.ts'
import type { ResolvedOptions } from './options/options.ts'
import type { Random } from './random.ts'
import { type RecallAsk, type RecallOutcome, runPlan } from './recall-plan.ts'
import { MOST_RECALLED, recallCount, recallPauseMs, type RecallTerms } from './recall.ts'
import type { Stats } from './stats.ts'

/** Knowledge older than this is no reason to end anything. */
const FRESH_VIEW_MS = 2_000
/** A server that refused is not asked again before this. */
const REFUSED_FOR_MS = 60_000
/** While a request waits for the connection, no further session is looked at after this. */
const PATIENCE_MS = 20

export interface ReaperParts {
  readonly dialect: Dialect
  readonly options: ResolvedOptions
  readonly clock: Clock
  readonly random: Random
  readonly knowledge: Knowledge
  readonly stats: Stats
  readonly log: LimitedLog
  readonly diagnostics: Diagnostics
  readonly terms: () => RecallTerms
}

type Wanted = Pick<RecallAsk, 'mostCount' | 'limit' | 'abovePressure'>

export class Reaper {
  readonly #parts: ReaperParts
  readonly #recalled: Moment
  readonly #pressedSince: Moment
  readonly #refusedAt: Moment
  #hasRecalled = false
  #isPressed = false
  #isRefused = false
  #wasRefused = false
  #fruitless = 0
  #pauseMs = 0

  constructor(parts: ReaperParts) {
    this.#parts = parts
    this.#recalled = new Moment(parts.clock)
    this.#pressedSince = new Moment(parts.clock)
    this.#refusedAt = new Moment(parts.clock)
  }

  /** This environment was refused a slot, and has one now. */
  sawRefusal(): void {
    this.#wasRefused = true
  }

  /** A census was taken. */
  sawCensus(view: FleetView): void {
    const { clock, options } = this.#parts
    const isPressed = pressureOf(view) > options.targetPressure
    if (isPressed && !this.#isPressed) this.#pressedSince.set(clock)
    this.#isPressed = isPressed
  }

  /** How many sessions `governed`, which is idle, is to recall now. Usually none. */
  wanted(governed: GovernedConnection): number {
    const { clock, dialect, knowledge, options } = this.#parts
    const { view } = knowledge
    if (!this.#isPressed || !options.reap || dialect.recall === undefined || view === undefined) return 0
    // Behind a pooler a session is nobody's own, and ending it frees nothing for us.
    if (!governed.proven || governed.lease.keeper === 'client') return 0
    if (this.#isRefused && this.#refusedAt.elapsedMs(clock) < REFUSED_FOR_MS) return 0
    if (knowledge.viewAgeMs > FRESH_VIEW_MS) return 0
    return recallCount(
      {
        view,
        pressedMs: this.#pressedSince.elapsedMs(clock),
        wasRefused: this.#wasRefused,
        sinceRecallMs: this.#hasRecalled ? this.#recalled.elapsedMs(clock) : Number.POSITIVE_INFINITY,
        pauseMs: this.#pauseMs,
      },
      options,
    )
  }

  /** Recalls under pressure, on an idle connection. Never rejects. */
  async recall(governed: GovernedConnection, mostCount: number): Promise<void> {
    const { clock, options, random } = this.#parts
    this.#wasRefused = false
    this.#hasRecalled = true
    this.#recalled.set(clock)
    const endedCount = await this.#run(governed, {
      mostCount,
      limit: this.#parts.knowledge.view?.limit ?? 'server',
      abovePressure: options.targetPressure,
    })
    this.#fruitless = endedCount > 0 ? 0 : this.#fruitless + 1
    this.#pauseMs = recallPauseMs(this.#fruitless, random)
  }

  /** The same because somebody asks for it, whatever the pressure. */
  reap(governed: GovernedConnection): Promise<number> {
    return this.#run(governed, { mostCount: MOST_RECALLED, limit: 'server', abovePressure: 0 })
  }

  async #run(governed: GovernedConnection, wanted: Wanted): Promise<number> {
    const { diagnostics, stats } = this.#parts
    let endedCount = 0
    const work = async (): Promise<void> => {
      const outcome = await this.#ask(governed, wanted)
      endedCount = outcome.endedCount
      stats.reaped += endedCount
      if (endedCount > 0) diagnostics.tell('reap', () => ({ endedCount }))
    }
    await ask(this.#parts, governed, 'a recall', work, (error) => this.#survives(error))
    return endedCount
  }

  async #ask(governed: GovernedConnection, wanted: Wanted): Promise<RecallOutcome> {
    const { clock, dialect, options, terms } = this.#parts
    const { hands, lease } = governed
    if (dialect.recall === undefined) return { endedCount: 0, busy: false }
    const started = new Moment(clock)
    const goOn = (): boolean => hands.idle() || started.elapsedMs(clock) < PATIENCE_MS
    const plan = dialect.recall({ ...wanted, fleet: options.fleet, terms: terms(), goOn })
    const sent = new Moment(clock)
    return runPlan(plan, async (statement) => {
      sent.set(clock)
      try {
        return await hands.run(statement)
      } finally {
        lease.touchSince(sent)
      }
    })
  }

  /** Whether the connection survives a failed recall. */
  #survives(error: unknown): boolean {
    const { clock, dialect, log, stats } = this.#parts
    if (LeaseholdError.is(error)) return false
    const kind = dialect.classify(error)
    if (kind === 'lost' || kind === 'starting') return false
    if (kind === 'transient') return true
    this.#isRefused = true
    this.#refusedAt.set(clock)
    stats.recallRefused += 1
    const why = `the server does not let sessions be recalled (${codeOf(error)})`
    log.once('recall-refused', `${why}; leases end them later`)
    return true
  }
}
