/** What was measured and has not been sent: gathered by metric and by stretch of time, bounded. */

import type { Clock } from '../clock.ts'
import {
  type MetricDimensions,
  type MetricField,
  type MetricName,
  METRICS,
  type MetricUnit,
} from '../metrics.ts'
import { Distribution, type Spread } from './distribution.ts'

/** One metric in one stretch of time. */
export interface Datum extends Spread {
  readonly name: MetricName
  readonly unit: MetricUnit
  readonly dimensions: MetricDimensions
  /** When its stretch of time began. */
  readonly epochMs: number
}

/** Of what waits to be sent, kept at the most: some twenty intervals of one pool. */
const MOST_WAITING = 1_000
/** CloudWatch takes no larger ones. Source: `MetricDatum`. */
const MOST_VALUE = 2 ** 360
/** Nor those of another time: two weeks back, two hours ahead. With a margin. Source: `MetricDatum`. */
const OLDEST_MS = 13 * 86_400_000
const AHEAD_MS = 3_600_000
/** Metrics of all pools together that are gathered at once. */
const MOST_GATHERED = 1_000

interface Gathered {
  readonly name: MetricName
  readonly dimensions: MetricDimensions
  readonly values: Distribution
  sum: number
}

export class Series {
  readonly #clock: Clock
  readonly #everyMs: number
  readonly #only: ReadonlySet<string> | undefined
  readonly #gathered = new Map<string, Gathered>()
  #begunEpochMs = 0
  #waiting: Datum[] = []

  /**
   * @param everyMs a stretch of time is no longer than this
   * @param only the metrics to keep; undefined keeps all
   */
  constructor(clock: Clock, everyMs: number, only: readonly string[] | undefined) {
    this.#clock = clock
    this.#everyMs = everyMs
    this.#only = only && new Set<string>([...only, 'MetricsDropped'])
  }

  add(name: MetricName, value: number, count: number, dimensions: MetricDimensions): void {
    if (this.#only?.has(name) === false) return
    // CloudWatch would refuse all that comes with it; and a clock that went back makes negative durations.
    if (!(value >= 0 && value <= MOST_VALUE && count >= 1)) return
    const nowEpochMs = this.#clock.epochMs()
    // An environment may have been frozen for an hour: what it measured before belongs to that time.
    if (Math.abs(nowEpochMs - this.#begunEpochMs) >= this.#everyMs) this.#close()
    if (this.#gathered.size === 0) this.#begunEpochMs = nowEpochMs
    const { Fleet, Engine, Target } = dimensions
    const key = `${name} ${Fleet} ${Engine} ${Target}`
    let gathered = this.#gathered.get(key)
    if (gathered === undefined) {
      if (this.#gathered.size >= MOST_GATHERED && name !== 'MetricsDropped') {
        // Told in one place, wherever it came from: else what tells of it would be without bound.
        const [first] = this.#gathered.values()
        this.add('MetricsDropped', 1, 1, first?.dimensions ?? dimensions)
        return
      }
      gathered = { name, dimensions, values: new Distribution(), sum: 0 }
      this.#gathered.set(key, gathered)
    }
    if (isCount(name)) gathered.sum += value * count
    else gathered.values.add(value, count)
  }

  /**
   * Everything up to now, the oldest first. It is the caller's: what cannot be sent comes back by `keep`. What a long
   * freeze or a clock that was set has left with a time that CloudWatch does not take is dropped: for its sake all
   * that is sent with it would be refused.
   */
  take(): readonly Datum[] {
    this.#close()
    const waiting = this.#waiting
    this.#waiting = []
    const nowEpochMs = this.#clock.epochMs()
    const isTimely = ({ epochMs }: Datum): boolean =>
      nowEpochMs - epochMs <= OLDEST_MS && epochMs - nowEpochMs <= AHEAD_MS
    this.drop(waiting.filter((datum) => !isTimely(datum)))
    return waiting.filter(isTimely)
  }

  /** To be sent next time. Where that would be too much, the oldest go, and are counted. */
  keep(data: readonly Datum[]): void {
    this.#waiting = [...data, ...this.#waiting]
    this.drop(this.#waiting.splice(0, Math.max(0, this.#waiting.length - MOST_WAITING)))
  }

  /** Given up. */
  drop(data: readonly Datum[]): void {
    for (const { name, values, dimensions } of data) {
      // One that tells of others stands for them.
      const count = name === 'MetricsDropped' ? (values[0] ?? 0) : 1
      this.add('MetricsDropped', count, 1, dimensions)
    }
  }

  #close(): void {
    const epochMs = this.#begunEpochMs
    for (const { name, dimensions, values, sum } of this.#gathered.values()) {
      const { unit } = METRICS[name]
      const spread = isCount(name) ? { values: [sum], counts: [1] } : values.spread
      if (spread.values.length > 0) this.#waiting.push({ name, unit, dimensions, epochMs, ...spread })
    }
    this.#gathered.clear()
    const excess = this.#waiting.splice(0, Math.max(0, this.#waiting.length - MOST_WAITING))
    if (excess.length > 0) {
      this.#begunEpochMs = this.#clock.epochMs()
      this.drop(excess)
    }
  }
}

function isCount(name: MetricName): boolean {
  const { kind }: MetricField = METRICS[name]
  return kind === 'count'
}
