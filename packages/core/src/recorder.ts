/** One per pool: what is measured goes through here to the sink, and is sent after a response now and then. */

import { type FleetView, pressureOf } from './census.ts'
import { type Clock, Moment } from './clock.ts'
import { within } from './deadline.ts'
import type { Lease } from './lease.ts'
import type { LimitedLog } from './log.ts'
import {
  type MetricDimensions,
  type MetricField,
  type MetricName,
  METRICS,
  type MetricsSink,
  noMetrics,
  type Observe,
} from './metrics.ts'
import type { Random } from './random.ts'
import { timed } from './running-time.ts'
import type { Stats } from './stats.ts'
import { unawaited } from './unawaited.ts'

/** Which of the pool's counts each metric is. Counting costs the hot path nothing more than it did. */
const COUNTED: readonly (readonly [MetricName, keyof Stats])[] = Object.entries<MetricField>(METRICS).flatMap(
  ([name, { stat }]) => (stat === undefined ? [] : [[name as MetricName, stat] as const]),
)

/** A sink ends by itself; one that does not must not hold up the end of a pool. */
const MOST_FLUSH_MS = 15_000

export interface RecorderParts {
  readonly clock: Clock
  readonly random: Random
  readonly stats: Stats
  readonly log: LimitedLog
  readonly sink: MetricsSink
  /** What the measurements are of, as it is known now. */
  readonly dimensions: () => MetricDimensions
}

export class Recorder {
  readonly #parts: RecorderParts
  readonly #isOn: boolean
  readonly #flushed: Moment
  readonly #told: Stats
  #dueMs: number
  #flushing: Promise<void> | undefined
  /** Reused connections that were waited for: for a ping, or for another request to give them back. */
  #awaited = 0

  constructor(parts: RecorderParts) {
    this.#parts = parts
    this.#isOn = parts.sink !== noMetrics
    this.#told = { ...parts.stats }
    this.#flushed = new Moment(parts.clock)
    // Environments that start together must not send together.
    this.#dueMs = parts.sink.everyMs * parts.random.next()
  }

  /** Whether anybody wants to know. What is costly to measure is not measured otherwise. */
  get isOn(): boolean {
    return this.#isOn
  }

  /** Bound, so that it can be handed on. */
  readonly observe: Observe = (name, value) => {
    if (this.#isOn) this.#record(name, value, 1)
  }

  /** A request had to wait for a connection that was open already. */
  sawWait(durationMs: number): void {
    this.#awaited += 1
    this.observe('AcquireTime', durationMs)
  }

  /** What `work` resolves to, and how long it took; undefined where a freeze came in between, or nobody wants to know. */
  async timed<T>(work: () => Promise<T>): Promise<{ readonly value: T; readonly ranMs: number | undefined }> {
    return this.#isOn ? timed(this.#parts.clock, work) : { value: await work(), ranMs: undefined }
  }

  sawCensus(view: FleetView, durationMs: number | undefined): void {
    if (!this.#isOn) return
    this.#record('Pressure', pressureOf(view) * 100, 1)
    this.#record('SlotsUsed', view.usedCount, 1)
    this.#record('SlotsTotal', view.slotCount, 1)
    if (view.fleetCount !== undefined) this.#record('FleetSessions', view.fleetCount, 1)
    if (durationMs !== undefined) this.#record('CensusTime', durationMs, 1)
  }

  /** Whether it is time to send, judged by the server's last answer on `lease`: no clock is read. */
  due(lease: Lease): boolean {
    return this.#isOn && this.#flushing === undefined && lease.answeredAfter(this.#flushed, this.#dueMs)
  }

  /**
   * Sends what was measured. Never rejects.
   *
   * @param isLast there may be no next time, and no time either: waits for no other flush, and for no pause of the sink's
   */
  async flush(isLast: boolean): Promise<void> {
    if (!this.#isOn) return
    // What came meanwhile is still to be sent.
    if (!isLast && this.#flushing !== undefined) await this.#flushing
    const flushing = this.#flush(isLast)
    this.#flushing = flushing
    await flushing
    if (this.#flushing === flushing) this.#flushing = undefined
  }

  async #flush(isLast: boolean): Promise<void> {
    const { clock, log, sink } = this.#parts
    this.#flushed.set(clock)
    this.#dueMs = sink.everyMs
    try {
      this.#count()
      const problem = await within(clock, MOST_FLUSH_MS, 'sending metrics', () => sink.flush(isLast))
      if (problem !== undefined) log.warn('metrics', problem)
    } catch {
      // A sink of the application's own that breaks its promise costs metrics, and nothing else.
      log.warn('metrics', 'the sink for metrics failed; its metrics are lost')
    }
  }

  /** The pool's counts since the last time. */
  #count(): void {
    const { stats } = this.#parts
    const ready = stats.reused - this.#told.reused - this.#awaited
    this.#awaited = 0
    // Whatever was handed out at once waited for nothing: without it the percentiles would be those of the slow.
    if (ready > 0) this.#record('AcquireTime', 0, ready)
    for (const [name, stat] of COUNTED) {
      const more = stats[stat] - this.#told[stat]
      if (more > 0) this.#record(name, more, 1)
    }
    Object.assign(this.#told, stats)
  }

  #record(name: MetricName, value: number, count: number): void {
    const { dimensions, sink } = this.#parts
    // As above: nobody's request fails for a metric.
    unawaited(() => sink.record(name, value, count, dimensions()))
  }
}
