// The arithmetic behind the live view, the table and the charts. Pure.
import type { InvocationRecord, SessionSample } from './recording.ts'

/** Nearest rank: a value that was really measured, never one in between. `undefined` for no values. */
export function percentile(values: readonly number[], share: number): number | undefined {
  const ascending = values.toSorted((a, b) => a - b)
  const rank = Math.max(1, Math.ceil(share * ascending.length))
  return ascending[rank - 1]
}

export interface CountBucket {
  readonly startMs: number
  readonly answered: number
  readonly failed: number
}

/** Answers and failures by the moment they came, from 0 to `untilMs`; empty buckets included. */
export function countPerBucket(
  invocations: readonly InvocationRecord[],
  bucketMs: number,
  untilMs: number,
): readonly CountBucket[] {
  const buckets = Array.from({ length: Math.ceil(untilMs / bucketMs) }, (_, index) => ({
    startMs: index * bucketMs,
    answered: 0,
    failed: 0,
  }))
  for (const invocation of invocations) {
    const bucket = buckets[Math.floor(endMs(invocation) / bucketMs)]
    if (bucket === undefined) continue
    if (invocation.failure === undefined) bucket.answered += 1
    else bucket.failed += 1
  }
  return buckets
}

export interface LatencyBucket {
  readonly startMs: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly slowestMs: number
}

/** Latency of the answers by the moment they came. Buckets without an answer are left out. */
export function latencyPerBucket(
  invocations: readonly InvocationRecord[],
  bucketMs: number,
): readonly LatencyBucket[] {
  const latencies = new Map<number, number[]>()
  for (const invocation of invocations) {
    if (invocation.failure !== undefined) continue
    const startMs = Math.floor(endMs(invocation) / bucketMs) * bucketMs
    const known = latencies.get(startMs)
    if (known === undefined) latencies.set(startMs, [invocation.latencyMs])
    else known.push(invocation.latencyMs)
  }
  return [...latencies.entries()]
    .map(([startMs, values]) => ({
      startMs,
      p50Ms: percentile(values, 0.5) ?? 0,
      p99Ms: percentile(values, 0.99) ?? 0,
      slowestMs: percentile(values, 1) ?? 0,
    }))
    .toSorted((a, b) => a.startMs - b.startMs)
}

/** The newest count not later than `atMs`. */
export function sessionsAt(samples: readonly SessionSample[], atMs: number): number | undefined {
  return samples.findLast((sample) => sample.atMs <= atMs)?.sessionCount
}

export function peakSessions(samples: readonly SessionSample[]): number {
  return samples.reduce((peak, { sessionCount }) => Math.max(peak, sessionCount), 0)
}

export interface FailureReason {
  readonly reason: string
  readonly count: number
}

/** The texts of the failures, the most frequent first. */
export function failureReasons(invocations: readonly InvocationRecord[]): readonly FailureReason[] {
  const counts = new Map<string, number>()
  for (const { failure } of invocations) {
    if (failure !== undefined) counts.set(failure, (counts.get(failure) ?? 0) + 1)
  }
  return [...counts.entries()]
    .map(([reason, count]) => ({ reason, count }))
    .toSorted((a, b) => b.count - a.count || a.reason.localeCompare(b.reason))
}

/** When its response came, or its failure. */
export function endMs(invocation: InvocationRecord): number {
  return invocation.startMs + invocation.latencyMs
}
