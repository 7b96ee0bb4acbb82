// The figures of one run, from what was measured.
import type { Governor, Stats } from '@leasehold/core'

import type { Environment } from './environment.ts'
import type { Measurement, Sample } from './measurement.ts'
import type { Server } from './server.ts'
import type { RunOptions, Scenario } from './simulation.ts'

export interface Figures {
  readonly scenario: string
  readonly policy: string
  readonly engine: string
  readonly seed: number
  readonly slots: number
  readonly environments: number
  readonly arrived: number
  readonly answered: number
  readonly failed: number
  readonly throttled: number
  /** Neither answered nor failed when the run was over. */
  readonly pending: number
  readonly answeredShare: number
  /** Answers while the load lasted. */
  readonly ratePerS: number
  /** Until the last answer. */
  readonly seconds: number
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  /** The worst environment's mean latency, in means of the median environment. */
  readonly worstToMedian: number
  readonly mostSessions: number
  readonly meanPressure: number
  readonly connectsPerAnswer: number
  readonly refusalsPerS: number
  readonly censusesPerS: number
  /** Of the server's cores. */
  readonly cpuShare: number
  /** Sessions that the server ended by their lease. */
  readonly lapses: number
  /** Sums over the product's own counts; none for other policies. */
  readonly stats: Partial<Stats>
  readonly samples: readonly Sample[]
  readonly events: number
  readonly tookMs: number
}

export interface Run {
  readonly scenario: Scenario
  readonly options: RunOptions
  readonly measurement: Measurement
  readonly server: Server
  readonly governors: readonly Governor[]
  readonly environments: readonly Environment[]
  readonly eventCount: number
  readonly tookMs: number
}

/** Nearest rank; sorted ascending. NaN of nothing. */
export function rank(sorted: ArrayLike<number>, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
}

export function figuresOf(run: Run): Figures {
  const { scenario, options, measurement, server, environments } = run
  const sorted = Float64Array.from(measurement.latenciesMs).toSorted()
  const means = environments
    .filter(({ answeredCount }) => answeredCount > 0)
    .map(({ answeredCount, latencySumMs }) => latencySumMs / answeredCount)
  const sortedMeans = Float64Array.from(means).toSorted()
  const { arrivedCount, answeredCount, answeredInTimeCount, failedCount, throttledCount, samples } =
    measurement
  const seconds = Math.max(measurement.lastAnswerMs, 1) / 1_000
  const pressures = samples.map(({ pressure }) => pressure)
  return {
    scenario: scenario.name,
    policy: options.policy,
    engine: options.engine,
    seed: options.seed,
    slots: server.slotCount,
    environments: environments.length,
    arrived: arrivedCount,
    answered: answeredCount,
    failed: failedCount,
    throttled: throttledCount,
    pending: measurement.inFlightCount,
    answeredShare: answeredCount / Math.max(1, arrivedCount - throttledCount),
    ratePerS: answeredInTimeCount / scenario.seconds,
    seconds,
    p50Ms: rank(sorted, 0.5),
    p95Ms: rank(sorted, 0.95),
    p99Ms: rank(sorted, 0.99),
    maxMs: sorted.at(-1) ?? Number.NaN,
    worstToMedian: (sortedMeans.at(-1) ?? Number.NaN) / rank(sortedMeans, 0.5),
    mostSessions: server.mostUsedCount,
    meanPressure: pressures.reduce((sum, pressure) => sum + pressure, 0) / Math.max(1, pressures.length),
    connectsPerAnswer: server.connectedCount / Math.max(1, answeredCount),
    refusalsPerS: server.refusedCount / seconds,
    censusesPerS: server.censusCount / seconds,
    cpuShare: server.cores.busyMs / (seconds * 1_000 * scenario.cores),
    lapses: server.lapsedCount,
    stats: sumOf(run.governors),
    samples,
    events: run.eventCount,
    tookMs: run.tookMs,
  }
}

function sumOf(governors: readonly Governor[]): Partial<Stats> {
  const sum: Record<string, number> = {}
  for (const { stats } of governors) {
    for (const [name, count] of Object.entries(stats)) sum[name] = (sum[name] ?? 0) + count
  }
  return sum
}
