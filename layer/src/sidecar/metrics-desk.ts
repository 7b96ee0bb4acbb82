/** Takes metrics from the environment's processes, and sends them now and then and at the end. */

import {
  type Clock,
  cloudWatch,
  type Env,
  type LimitedLog,
  loadCloudWatch,
  type Measurement,
  METRICS,
  type MetricsPlace,
  type MetricsSink,
} from './core.ts'

/** Of its 2 s at the end the runtime may take 300 ms first. */
const LIMIT_MS = 1_400

/** The first sending is early: a way to CloudWatch that is not there is in the log before the environment ends. */
const FIRST_WITHIN_MS = 10_000

/** Places that metrics are sent to; a function has one, or a few. */
const MOST_PLACES = 8

export class MetricsDesk {
  readonly #clock: Clock
  readonly #env: Env
  readonly #log: LimitedLog
  readonly #random: { next(): number }
  readonly #sinks = new Map<string, MetricsSink>()
  #isEnding = false

  constructor(clock: Clock, env: Env, log: LimitedLog, random: { next(): number }) {
    this.#clock = clock
    this.#env = env
    this.#log = log
    this.#random = random
  }

  /** @throws Error where it is not what a process of ours would say; nothing of it is taken */
  take(to: MetricsPlace, data: readonly Measurement[]): void {
    if (!Array.isArray(data) || !data.every((measurement) => isMeasurement(measurement))) {
      throw new Error('metrics of another version')
    }
    const sink = this.#sinkFor(to)
    for (const [name, value, count, Fleet, Engine, Target] of data) {
      sink.record(name, value, count, { Fleet, Engine, Target })
    }
  }

  /** Sends everything. Never rejects. */
  async end(): Promise<void> {
    this.#isEnding = true
    await Promise.all([...this.#sinks.values()].map((sink) => this.#flush(sink, true)))
  }

  #sinkFor(to: MetricsPlace): MetricsSink {
    const key = JSON.stringify(to)
    const known = this.#sinks.get(key)
    if (known !== undefined) return known
    if (this.#sinks.size >= MOST_PLACES) throw new Error('too many places to send metrics to')
    const sink = cloudWatch({ ...to, limitMs: LIMIT_MS }, { clock: this.#clock })
    this.#sinks.set(key, sink)
    // Loaded now, while Init has processors to spare, and not in the last two seconds. What is wrong the sink will say.
    setImmediate(() => void loadCloudWatch(this.#env).catch(() => undefined))
    void this.#sendNowAndThen(sink)
    return sink
  }

  async #sendNowAndThen(sink: MetricsSink): Promise<void> {
    // Environments that start together must not send together.
    await this.#clock.sleep(Math.min(FIRST_WITHIN_MS, sink.everyMs) * this.#random.next())
    while (!this.#isEnding) {
      await this.#flush(sink, false)
      await this.#clock.sleep(sink.everyMs)
    }
  }

  async #flush(sink: MetricsSink, isLast: boolean): Promise<void> {
    const problem = await sink.flush(isLast)
    if (problem !== undefined) this.#log.warn('metrics', problem)
  }
}

function isMeasurement(given: unknown): given is Measurement {
  if (!Array.isArray(given) || given.length !== 6) return false
  const [name, value, count, ...place] = given as readonly unknown[]
  if (typeof name !== 'string' || !Object.hasOwn(METRICS, name)) return false
  return (
    typeof value === 'number' && typeof count === 'number' && place.every((text) => typeof text === 'string')
  )
}
