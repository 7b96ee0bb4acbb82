/** Metrics handed to the layer's sidecar, which sends them: what it has outlives this process. */

import { type Clock, Moment, systemClock } from '../clock.ts'
import { type Env, systemEnv } from '../env.ts'
import type { MetricDimensions, MetricName, MetricsSink } from '../metrics.ts'
import { Handover } from '../sidecar/handover.ts'
import { type Measurement, type MetricsPlace, wantsSidecar } from '../sidecar/protocol.ts'
import type { Surroundings } from '../surroundings.ts'
import { checkOptions } from './check.ts'
import { cloudWatch, type CloudWatchOptions } from './cloudwatch.ts'
import { EVERY_MS, NAMESPACE, ONLY, onlyProblems } from './sink-options.ts'

/** Those of `cloudWatch()`, but for the credentials: the sidecar has the function's own, from the environment. */
export type SidecarMetricsOptions = Pick<
  CloudWatchOptions,
  'namespace' | 'everyMs' | 'only' | 'region' | 'endpoint'
>

/** How often counts are handed over while the pool is in use: as often as a sink may ask for. */
const HAND_OVER_EVERY_MS = 1_000

/** Measurements that wait to be handed over, told apart by name, value and dimensions. */
const MOST_PENDING = 1_000

/**
 * Hands metrics to the layer's sidecar over a local socket, without waiting for it: what is timed in the next turn,
 * counts about once a second. The sidecar sends them to CloudWatch as `cloudWatch()` would, every `everyMs`, and the
 * last of them when the environment ends, also where the function crashed or ran out of time.
 *
 * Where there is no sidecar (`LEASEHOLD_SIDECAR` is not `on`), or it does not answer within half a second, this process
 * sends them itself, by `cloudWatch()` with the same options; the sidecar is tried again after 10 s, doubling to
 * 10 minutes. What it took without our hearing of it is then sent twice. No request ever waits.
 *
 * @throws LeaseholdError `INVALID_OPTIONS`
 */
export function sidecarMetrics(options: SidecarMetricsOptions, surroundings: Surroundings = {}): MetricsSink {
  const { namespace, everyMs, only, region, endpoint } = checked(options)
  const to = { namespace, everyMs, only, region, endpoint }
  const direct = cloudWatch(to, surroundings)
  const { clock = systemClock, env = systemEnv } = surroundings
  return wantsSidecar(env) ? new SidecarSink(to, direct, clock, env) : direct
}

function checked(options: SidecarMetricsOptions): SidecarMetricsOptions {
  checkOptions(
    'sidecarMetrics',
    options,
    {
      namespace: NAMESPACE,
      everyMs: EVERY_MS,
      only: ONLY,
      region: { kind: 'text' },
      endpoint: { kind: 'text' },
    },
    onlyProblems(options),
  )
  return options
}

class SidecarSink implements MetricsSink {
  readonly everyMs = HAND_OVER_EVERY_MS
  readonly #clock: Clock
  readonly #direct: MetricsSink
  readonly #handover: Handover
  readonly #pending = new Map<string, Measurement>()
  #isScheduled = false
  #droppedOf: MetricDimensions | undefined
  #droppedCount = 0
  /** Whether there ever was something that the sidecar did not take, and when such was last sent. */
  #isDirect = false
  #sentDirectly: Moment | undefined

  constructor(to: MetricsPlace, direct: MetricsSink, clock: Clock, env: Env) {
    this.#clock = clock
    this.#direct = direct
    this.#handover = new Handover(to, clock, env)
    // While modules load: the sidecar then loads what it will need.
    clock.defer(() => this.#handover.announce())
  }

  record(name: MetricName, value: number, count: number, of: MetricDimensions): void {
    const { Fleet, Engine, Target } = of
    const key = `${name} ${value} ${Fleet} ${Engine} ${Target}`
    const known = this.#pending.get(key)
    if (known === undefined && this.#pending.size >= MOST_PENDING) {
      this.#droppedOf = of
      this.#droppedCount += 1
      return
    }
    this.#pending.set(key, [name, value, (known?.[2] ?? 0) + count, Fleet, Engine, Target])
    if (this.#isScheduled) return
    this.#isScheduled = true
    this.#clock.defer(() => {
      this.#isScheduled = false
      this.#handover.connect()
      this.#handOver()
    })
  }

  async flush(isLast: boolean): Promise<string | undefined> {
    if (this.#droppedOf !== undefined && (isLast || this.#pending.size < MOST_PENDING)) {
      const { Fleet, Engine, Target } = this.#droppedOf
      this.#pending.set('dropped', ['MetricsDropped', this.#droppedCount, 1, Fleet, Engine, Target])
      this.#droppedOf = undefined
      this.#droppedCount = 0
    }
    this.#handover.connect()
    this.#handOver()
    const { problem, back } = await this.#handover.settle(isLast)
    if (isLast) back.push(...this.#takePending())
    for (const [name, value, count, Fleet, Engine, Target] of back) {
      this.#direct.record(name, value, count, { Fleet, Engine, Target })
    }
    this.#isDirect ||= back.length > 0
    return (await this.#flushDirect(isLast)) ?? problem
  }

  #handOver(): void {
    const { size } = this.#pending
    if (size > 0 && this.#handover.mayGive(size)) this.#handover.give(this.#takePending())
  }

  #takePending(): readonly Measurement[] {
    const data = [...this.#pending.values()]
    this.#pending.clear()
    return data
  }

  /** As often as `cloudWatch()` would be flushed, and not as often as this sink is. */
  async #flushDirect(isLast: boolean): Promise<string | undefined> {
    const sinceMs = this.#sentDirectly?.elapsedMs(this.#clock) ?? Infinity
    if (!this.#isDirect || (!isLast && sinceMs < this.#direct.everyMs)) return undefined
    this.#sentDirectly = new Moment(this.#clock)
    return this.#direct.flush(isLast)
  }
}
