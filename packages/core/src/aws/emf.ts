/** Metrics as lines of a function's own log: for functions that have no way to CloudWatch. */

import { type Clock, systemClock } from '../clock.ts'
import { type Env, logsJson, systemEnv } from '../env.ts'
import type { MetricDimensions, MetricName, MetricsSink } from '../metrics.ts'
import type { Surroundings } from '../surroundings.ts'
import { unawaited } from '../unawaited.ts'
import { checkOptions } from './check.ts'
import type { Spread } from './distribution.ts'
import { type Datum, Series } from './series.ts'
import { EVERY_MS, NAMESPACE, ONLY, onlyProblems } from './sink-options.ts'

export interface EmfOptions {
  /** CloudWatch's namespace: 1 to 255 characters, not beginning with `AWS/`. */
  readonly namespace: string
  /**
   * How often metrics are written, after a response; the first time after a random part of it. Milliseconds, 1 000
   * to 900 000.
   * @defaultValue 20000
   */
  readonly everyMs?: number | undefined
  /**
   * Write these metrics alone.
   * @defaultValue all of them
   */
  readonly only?: readonly MetricName[] | undefined
  /**
   * Takes one line, without its end.
   * @defaultValue standard output
   */
  readonly write?: ((line: string) => void) | undefined
}

/** Source: the specification of the embedded metric format. */
const MOST_METRICS = 100
const MOST_VALUES = 100

/**
 * Writes metrics to standard output in CloudWatch's embedded metric format: Lambda's log brings them to CloudWatch,
 * over no network of the function's. Past the console, which in Lambda's JSON log format would wrap them.
 *
 * The format has lists of at most 100 values and no counts: of more than 100 measurements in one interval 100 are
 * written that stand for all of them, the slowest included. Percentiles stay, up to the 98th; the number of samples
 * does not. Counts are exact.
 *
 * @throws LeaseholdError `INVALID_OPTIONS`
 */
export function emf(options: EmfOptions, surroundings: Surroundings = {}): MetricsSink {
  checkOptions(
    'emf',
    options,
    { namespace: NAMESPACE, everyMs: EVERY_MS, only: ONLY, write: { kind: 'function' } },
    onlyProblems(options),
  )
  return new EmfSink({ ...options }, surroundings)
}

class EmfSink implements MetricsSink {
  readonly everyMs: number
  readonly #namespace: string
  readonly #clock: Clock
  readonly #env: Env
  readonly #series: Series
  readonly #write: (line: string) => void

  constructor(options: EmfOptions, { clock = systemClock, env = systemEnv }: Surroundings) {
    const { everyMs = 20_000, only, write = writeLine } = options
    this.everyMs = everyMs
    this.#namespace = options.namespace
    this.#clock = clock
    this.#env = env
    this.#series = new Series(clock, everyMs, only)
    this.#write = write
  }

  record(name: MetricName, value: number, count: number, of: MetricDimensions): void {
    this.#series.add(name, value, count, of)
  }

  async flush(): Promise<string | undefined> {
    const data = this.#series.take()
    let problem: string | undefined
    for (const line of groupsOf(data)) {
      unawaited(
        () => this.#write(this.#lineOf(line)),
        () => {
          this.#series.drop(line)
          problem = 'metrics could not be written to standard output; they are dropped'
        },
      )
    }
    return problem
  }

  /** @param data of the same dimensions and the same time */
  #lineOf(data: readonly Datum[]): string {
    const [{ dimensions, epochMs } = NOTHING] = data
    const Metrics = data.map(({ name, unit }) => ({ Name: name, Unit: unit }))
    const directive = { Namespace: this.#namespace, Dimensions: [Object.keys(dimensions)], Metrics }
    return JSON.stringify({
      ...this.#level(),
      _aws: { Timestamp: epochMs, CloudWatchMetrics: [directive] },
      ...dimensions,
      ...Object.fromEntries(data.map((datum) => [datum.name, targetOf(datum)])),
    })
  }

  /**
   * In the JSON log format Lambda may filter by level, and takes a line that has none for INFO: these are of the
   * level that is asked for, whatever that is. Source: Lambda's log-level filtering; `AWS_LAMBDA_LOG_LEVEL`.
   */
  #level(): object {
    if (!logsJson(this.#env)) return {}
    return { level: this.#env['AWS_LAMBDA_LOG_LEVEL'] || 'INFO', timestamp: isoOf(this.#clock.epochMs()) }
  }
}

const NOTHING: Pick<Datum, 'dimensions' | 'epochMs'> = {
  dimensions: { Fleet: '', Engine: '', Target: '' },
  epochMs: 0,
}

/** One line each. */
function groupsOf(data: readonly Datum[]): Datum[][] {
  const groups = new Map<string, Datum[]>()
  const lines: Datum[][] = []
  for (const datum of data) {
    const { Fleet, Engine, Target } = datum.dimensions
    const key = `${datum.epochMs} ${Fleet} ${Engine} ${Target}`
    let line = groups.get(key)
    // A name stands once in a line: its value is a member of it.
    if (line === undefined || line.length >= MOST_METRICS || line.some(({ name }) => name === datum.name)) {
      line = []
      groups.set(key, line)
      lines.push(line)
    }
    line.push(datum)
  }
  return lines
}

function targetOf(spread: Spread): number | readonly number[] {
  const values = sampled(spread)
  return values.length === 1 ? (values[0] ?? 0) : values
}

/** Every measurement by itself; of too many, those at even distances in their order, the first and the last included. */
function sampled({ values, counts }: Spread): readonly number[] {
  const total = counts.reduce((sum, count) => sum + count, 0)
  const wanted = Math.min(total, MOST_VALUES)
  const picked: number[] = []
  let place = 0
  let passed = counts[0] ?? 0
  for (let index = 0; index < wanted; index += 1) {
    const rank = total <= MOST_VALUES ? index : Math.round((index * (total - 1)) / (MOST_VALUES - 1))
    while (rank >= passed && place < values.length - 1) {
      place += 1
      passed += counts[place] ?? 0
    }
    picked.push(values[place] ?? 0)
  }
  return picked
}

/**
 * One write for the whole line, so that nothing gets in between. Where nobody reads any more, the stream says so in an
 * event, and one that nobody listens to would end the process: the console takes it off in the same way.
 */
function writeLine(line: string): void {
  const { stdout } = process
  stdout.write(`${line}\n`, (error) => {
    if (error && stdout.listenerCount('error') === 0) stdout.once('error', ignore)
  })
}

function ignore(): void {}

/** Writes a time down; takes none. */
function isoOf(epochMs: number): string {
  // oxlint-disable-next-line no-restricted-globals
  return new Date(epochMs).toISOString()
}
