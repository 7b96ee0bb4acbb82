// From what was recorded to the figures of the file.
import { median, percentile } from '../statistics.ts'
import type { Recorded, Recorder } from './recorder.ts'
import type { Environments, FleetRun, Latency, Offered, Part, Requests } from './result.ts'
import { lengthMsOf, type Scenario } from './scenarios.ts'

export const BUCKET_MS = 250
/** Buckets of the histogram are this much wider from one to the next: 20 to a factor of ten. */
const HISTOGRAM_STEP = 10 ** (1 / 20)

type OfRequests = Pick<
  FleetRun,
  'requests' | 'ratePerS' | 'latencyMs' | 'answeredPerS' | 'latencyOverTime' | 'environments'
> &
  Partial<Pick<FleetRun, 'offered' | 'parts'>>

export function figuresOf(recorder: Recorder, scenario: Scenario): OfRequests {
  const { all } = recorder
  const durationMs = lengthMsOf(scenario)
  const throttled = [...recorder.throttled.values()].reduce((sum, count) => sum + count, 0)
  const sizes = scenario.fleets.map(({ environments }) => environments)
  const offered = offeredOf(scenario, all.length + throttled)
  const parts = partsOf(recorder, scenario)
  return {
    requests: requestsOf(all, throttled),
    ratePerS: rateOf(all, 0, durationMs),
    latencyMs: latencyOf(all),
    environments: environmentsOf(all, sizes),
    answeredPerS: answersOverTime(all, durationMs),
    latencyOverTime: latencyOverTime(all),
    ...(offered === undefined ? {} : { offered }),
    ...(parts === undefined ? {} : { parts }),
  }
}

function isAnswer({ failure }: Recorded): boolean {
  return failure === undefined
}

function requestsOf(all: readonly Recorded[], throttled: number): Requests {
  const failures: Record<string, number> = {}
  for (const { failure } of all) {
    if (failure !== undefined) failures[failure] = (failures[failure] ?? 0) + 1
  }
  const answered = all.filter(isAnswer).length
  return { answered, failed: all.length - answered, throttled, failures }
}

const endMs = ({ sentMs, latencyMs }: Recorded): number => sentMs + latencyMs

function rateOf(all: readonly Recorded[], fromMs: number, untilMs: number): number {
  const inTime = all.filter((recorded) => isAnswer(recorded) && endMs(recorded) <= untilMs).length
  return (1_000 * inTime) / (untilMs - fromMs)
}

function latencyOf(all: readonly Recorded[]): Latency {
  const latencies = all.filter(isAnswer).map(({ latencyMs }) => latencyMs)
  if (latencies.length === 0) return { p50: 0, p95: 0, p99: 0, max: 0, histogram: [] }
  const counts = new Map<number, number>()
  for (const latencyMs of latencies) {
    const bucket = Math.ceil(Math.log(Math.max(latencyMs, 1)) / Math.log(HISTOGRAM_STEP))
    counts.set(bucket, (counts.get(bucket) ?? 0) + 1)
  }
  const histogram = [...counts]
    .toSorted(([left], [right]) => left - right)
    .map(([bucket, count]) => ({ uptoMs: rounded(HISTOGRAM_STEP ** bucket), count }))
  return {
    p50: rounded(median(latencies)),
    p95: rounded(percentile(latencies, 0.95)),
    p99: rounded(percentile(latencies, 0.99)),
    max: rounded(latencies.reduce((most, latencyMs) => Math.max(most, latencyMs), 0)),
    histogram,
  }
}

/** Environments of one function are compared with each other. 0 where nothing was answered. */
function environmentsOf(all: readonly Recorded[], fleetSizes: readonly number[]): Environments {
  const sums = new Map<number, { sum: number; count: number }>()
  for (const { environment, latencyMs } of all.filter(isAnswer)) {
    const so = sums.get(environment) ?? { sum: 0, count: 0 }
    sums.set(environment, { sum: so.sum + latencyMs, count: so.count + 1 })
  }
  const means = new Map([...sums].map(([environment, { sum, count }]) => [environment, sum / count]))
  let first = 0
  let worstToMedian = 0
  for (const size of fleetSizes) {
    const own = [...means].filter(([number]) => number >= first && number < first + size)
    const ownMeans = own.map(([, mean]) => mean)
    if (ownMeans.length > 0) {
      worstToMedian = Math.max(worstToMedian, Math.max(...ownMeans) / median(ownMeans))
    }
    first += size
  }
  return { count: first, worstToMedian: rounded(worstToMedian), meansMs: [...means.values()].map(rounded) }
}

function answersOverTime(all: readonly Recorded[], durationMs: number): readonly number[] {
  const answers = all.filter(isAnswer)
  const lastMs = answers.reduce((last, recorded) => Math.max(last, endMs(recorded)), durationMs)
  const counts = Array.from({ length: Math.ceil(lastMs / BUCKET_MS) }, () => 0)
  for (const recorded of answers) {
    const bucket = Math.min(counts.length - 1, Math.floor(endMs(recorded) / BUCKET_MS))
    counts[bucket] = (counts[bucket] ?? 0) + 1
  }
  return counts.map((count) => (count * 1_000) / BUCKET_MS)
}

/** By when the answer came. Intervals without one are left out. */
function latencyOverTime(all: readonly Recorded[]): FleetRun['latencyOverTime'] {
  const buckets = new Map<number, number[]>()
  for (const recorded of all.filter(isAnswer)) {
    const atMs = Math.floor(endMs(recorded) / BUCKET_MS) * BUCKET_MS
    const latencies = buckets.get(atMs)
    if (latencies === undefined) buckets.set(atMs, [recorded.latencyMs])
    else latencies.push(recorded.latencyMs)
  }
  return [...buckets]
    .toSorted(([left], [right]) => left - right)
    .map(([atMs, latencies]) => ({
      atMs,
      p50: rounded(median(latencies)),
      p99: rounded(percentile(latencies, 0.99)),
    }))
}

function offeredOf(scenario: Scenario, requests: number): Offered | undefined {
  const open = scenario.loads.filter((load) => load.kind === 'open')
  if (open.length === 0) return undefined
  const perS = Array.from({ length: Math.ceil(lengthMsOf(scenario) / BUCKET_MS) }, (_, bucket) => {
    const atMs = bucket * BUCKET_MS
    return open.reduce((sum, load) => sum + (load.fromMs <= atMs && atMs < load.untilMs ? load.perS : 0), 0)
  })
  return { requests, perS }
}

function partsOf(recorder: Recorder, { loads, fleets }: Scenario): Record<string, Part> | undefined {
  const parts: Record<string, Part> = {}
  const sizes = fleets.map(({ environments }) => environments)
  for (const [index, { part, fleet, fromMs, untilMs }] of loads.entries()) {
    if (part === undefined) continue
    const own = recorder.all.filter(({ load }) => load === index)
    parts[part] = {
      requests: requestsOf(own, recorder.throttled.get(index) ?? 0),
      ratePerS: rateOf(own, fromMs, untilMs),
      latencyMs: latencyOf(own),
      environments: {
        ...environmentsOf(own, sizes),
        count: fleets.find(({ name }) => name === fleet)?.environments ?? 0,
      },
      fromMs,
      durationMs: untilMs - fromMs,
    }
  }
  return Object.keys(parts).length === 0 ? undefined : parts
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100
}
