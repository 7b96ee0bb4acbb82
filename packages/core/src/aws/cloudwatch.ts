/** Metrics by CloudWatch's own API: gathered, sent now and then after a response, and nobody waits for it. */

import { type Clock, Moment, systemClock } from '../clock.ts'
import { within } from '../deadline.ts'
import { systemEnv } from '../env.ts'
import { LeaseholdError } from '../errors.ts'
import type { MetricDimensions, MetricName, MetricsSink } from '../metrics.ts'
import { systemRandom } from '../random.ts'
import type { Surroundings } from '../surroundings.ts'
import { batchesOf } from './batches.ts'
import { checkOptions } from './check.ts'
import { isTransient, nameOf } from './failure.ts'
import type { AwsIdentity, AwsIdentityProvider } from './identity.ts'
import { type Deliver, openCloudWatch } from './put-metric-data.ts'
import { type Datum, Series } from './series.ts'
import { EVERY_MS, NAMESPACE, ONLY, onlyProblems } from './sink-options.ts'

export interface CloudWatchOptions {
  /** CloudWatch's namespace: 1 to 255 characters, not beginning with `AWS/`. */
  readonly namespace: string
  /**
   * How often metrics are sent, after a response; the first time after a random part of it. Milliseconds, 1 000 to
   * 900 000. What an environment has measured since is lost where it ends without a word.
   * @defaultValue 60000
   */
  readonly everyMs?: number | undefined
  /**
   * Send these metrics alone. Each costs by itself; see the docs.
   * @defaultValue all of them
   */
  readonly only?: readonly MetricName[] | undefined
  /**
   * How long one sending may take. Milliseconds, 1 to 10 000. No request waits for it.
   * @defaultValue 2000
   */
  readonly limitMs?: number | undefined
  /** @defaultValue `AWS_REGION`, then `AWS_DEFAULT_REGION` */
  readonly region?: string | undefined
  /** CloudWatch's address, where it is not AWS's own. */
  readonly endpoint?: string | undefined
  /**
   * Who sends.
   * @defaultValue the environment's credentials, as Lambda sets them; else the SDK's chain of providers
   */
  readonly credentials?: AwsIdentity | AwsIdentityProvider | undefined
}

/** After a failure nothing is sent for this long, doubling to `MOST_PAUSE_MS`. */
const FIRST_PAUSE_MS = 10_000
const MOST_PAUSE_MS = 600_000

/** The last sending waits so long for one that is under way, of the second or two that it has. */
const LAST_WAITS_MS = 200

/** Sending them again would fail again. */
const HOPELESS: ReadonlySet<string> = new Set([
  'InvalidFormat',
  'InvalidFormatException',
  'InvalidParameterCombination',
  'InvalidParameterCombinationException',
  'InvalidParameterValue',
  'InvalidParameterValueException',
  'MissingParameter',
  'MissingRequiredParameterException',
  'SerializationException',
  'ValidationError',
  'ValidationException',
])

/**
 * Sends metrics by `PutMetricData`, through the application's `@aws-sdk/client-cloudwatch`, which is loaded at the
 * first sending. Needs a way to CloudWatch (NAT gateway or the endpoint `monitoring`) and the right
 * `cloudwatch:PutMetricData`; a function that has neither takes `emf()`. Pools may share one.
 *
 * What cannot be sent is kept, up to 1 000 data points, and sent later with its own time; beyond that the oldest go
 * and are counted in `MetricsDropped`. An answer that is lost makes the same data arrive twice.
 *
 * @throws LeaseholdError `INVALID_OPTIONS`
 */
export function cloudWatch(options: CloudWatchOptions, surroundings: Surroundings = {}): MetricsSink {
  checkOptions(
    'cloudWatch',
    options,
    {
      namespace: NAMESPACE,
      everyMs: EVERY_MS,
      only: ONLY,
      limitMs: { kind: 'wholeMs', min: 1, max: 10_000 },
      region: { kind: 'text' },
      endpoint: { kind: 'text' },
      credentials: { kind: 'identity' },
    },
    onlyProblems(options),
  )
  return new CloudWatchSink({ ...options }, surroundings)
}

class CloudWatchSink implements MetricsSink {
  readonly everyMs: number
  readonly #clock: Clock
  readonly #limitMs: number
  readonly #series: Series
  readonly #open: () => Promise<Deliver>
  readonly #random: { next(): number }
  #deliver: Deliver | undefined
  #sending: Promise<string | undefined> | undefined
  #failedAt: Moment | undefined
  #pauseMs = 0
  #failures = 0

  constructor(options: CloudWatchOptions, surroundings: Surroundings) {
    const { clock = systemClock, random = systemRandom, env = systemEnv } = surroundings
    const { everyMs = 60_000, limitMs = 2_000, only } = options
    this.everyMs = everyMs
    this.#clock = clock
    this.#random = random
    this.#limitMs = limitMs
    this.#series = new Series(clock, everyMs, only)
    this.#open = () => openCloudWatch(options, env)
  }

  record(name: MetricName, value: number, count: number, of: MetricDimensions): void {
    this.#series.add(name, value, count, of)
  }

  async flush(isLast: boolean): Promise<string | undefined> {
    // One at a time; whoever comes last still sends what came meanwhile.
    if (this.#sending !== undefined) {
      if (!isLast) return this.#sending
      await this.#sendBeside(this.#sending)
    }
    if (!isLast && this.#isPausing()) return undefined
    this.#sending ??= this.#send().finally(() => {
      this.#sending = undefined
    })
    return this.#sending
  }

  /** One under way that a freeze has overtaken may use up its limit, and the environment the time it has left. */
  async #sendBeside(sending: Promise<unknown>): Promise<void> {
    const wait = within(this.#clock, LAST_WAITS_MS, 'the sending before', () => sending)
    const isOver = await wait.then(
      () => true,
      () => false,
    )
    if (!isOver) await Promise.all([sending, this.#send()])
  }

  #isPausing(): boolean {
    return this.#failedAt !== undefined && this.#failedAt.elapsedMs(this.#clock) < this.#pauseMs
  }

  async #send(): Promise<string | undefined> {
    const batches = batchesOf(this.#series.take())
    let problem: string | undefined
    let sentCount = 0
    try {
      const work = async (signal: AbortSignal): Promise<void> => {
        const deliver = (this.#deliver ??= await this.#open())
        for (const batch of batches) {
          try {
            await deliver(batch, signal)
          } catch (error) {
            if (!HOPELESS.has(nameOf(error))) throw error
            this.#series.drop(batch)
            problem = `CloudWatch does not take ${batch.length} metrics (${nameOf(error)}); they are dropped`
          }
          sentCount += 1
        }
      }
      if (batches.length > 0) await within(this.#clock, this.#limitMs, 'sending metrics', work)
      this.#failedAt = undefined
      this.#failures = 0
    } catch (error) {
      this.#keep(batches.slice(sentCount))
      problem = problemOf(error, this.#limitMs)
    }
    return problem
  }

  #keep(batches: readonly (readonly Datum[])[]): void {
    this.#series.keep(batches.flat())
    this.#failedAt ??= new Moment(this.#clock)
    this.#failedAt.set(this.#clock)
    const longestMs = Math.min(FIRST_PAUSE_MS * 2 ** this.#failures, MOST_PAUSE_MS)
    this.#pauseMs = longestMs * (0.5 + 0.5 * this.#random.next())
    this.#failures += 1
  }
}

function problemOf(error: unknown, limitMs: number): string {
  if (LeaseholdError.is(error)) {
    if (error.code !== 'CONNECT_TIMEOUT') return `metrics are not sent: ${error.message}`
    return `metrics could not be sent within ${limitMs} ms: is there a way to CloudWatch? They are kept for later`
  }
  const remedy = isTransient(error)
    ? 'is there a way to CloudWatch, or are there too many requests?'
    : 'may the function call `cloudwatch:PutMetricData`?'
  return `metrics could not be sent (${nameOf(error)}): ${remedy} They are kept for later`
}
