// Bare and governed must be drawn to the same scale, or the charts would lie side by side. Pure.
import type { Recording } from '../recording.ts'
import { countPerBucket, endMs, latencyPerBucket } from '../statistics.ts'

/** The width of a bar, and of the window in which percentiles are taken. */
export const BUCKET_MS = 500

const SHORTEST_LATENCY_MS = 10

/** The upper end of every axis that two panels share, and the lower one where it is not 0. */
export interface Scales {
  readonly timeMs: number
  readonly sessionCount: number
  readonly requestsPerBucket: number
  readonly latencyMs: readonly [number, number]
}

export function commonScales(recordings: readonly Recording[]): Scales {
  const timesMs = recordings.flatMap(({ phases, samples, invocations }) => [
    ...phases.map((phase) => phase.endMs ?? 0),
    ...samples.map(({ atMs }) => atMs),
    ...invocations.map(endMs),
  ])
  const timeMs = Math.ceil(largest(timesMs) / 1_000) * 1_000
  const buckets = recordings.flatMap(({ invocations }) => countPerBucket(invocations, BUCKET_MS, timeMs))
  const latencies = recordings.flatMap(({ invocations }) => latencyPerBucket(invocations, BUCKET_MS))
  const sessionCounts = recordings.flatMap(({ slots, samples }) => [
    slots,
    ...samples.map(({ sessionCount }) => sessionCount),
  ])
  return {
    timeMs,
    // Room for the slots' line and its label.
    sessionCount: Math.ceil(largest(sessionCounts) * 1.2),
    requestsPerBucket: Math.max(1, largest(buckets.map(({ answered, failed }) => answered + failed))),
    // Ends above the highest point, and not on a grid line.
    latencyMs: [
      SHORTEST_LATENCY_MS,
      Math.max(1_200, largest(latencies.map(({ slowestMs }) => slowestMs)) * 1.3),
    ],
  }
}

/** Not `Math.max(...values)`: there may be more values than a call can have arguments. */
function largest(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value), 0)
}
