// INVENTED figures, for the tests of the page and its charts only: nobody measured them.
import type { BenchFile, FleetRun, Part, SubjectName } from '../bench/fleet/result.ts'
import { SUBJECTS } from '../bench/fleet/result.ts'
import type { Figures } from '../simulation/index.ts'

const SLOTS = 26
const BUCKET_MS = 250

/** A run whose figures follow from the subject's place in the list, the round and the length. */
export function inventedRun(
  scenario: string,
  subject: SubjectName,
  { round = 1, seconds = 10, ...more }: Partial<FleetRun> & { readonly seconds?: number } = {},
): FleetRun {
  const place = SUBJECTS.indexOf(subject)
  const ratePerS = 900 - 90 * place + 10 * round
  const [p50, p95, p99, max] = [25 + place, 60 + 20 * place, 150 + 90 * place, 400 * (place + 1)]
  const answered = ratePerS * seconds
  const failed = subject === 'bare' ? Math.round(answered / 2) : 0
  const bucketCount = (seconds * 1_000) / BUCKET_MS
  const buckets = Array.from({ length: bucketCount }, (_, index) => index)
  const wave = (index: number): number => 1 + 0.1 * Math.sin(index / 3 + place)
  return {
    scenario,
    engine: 'postgresql',
    subject,
    round,
    durationMs: seconds * 1_000,
    requests: { answered, failed, throttled: 0, failures: failed === 0 ? {} : { '53300': failed } },
    ratePerS,
    latencyMs: { p50, p95, p99, max, histogram: [{ uptoMs: max, count: answered }] },
    environments: { count: 60, worstToMedian: 1.1 + place / 10, meansMs: [p50, p50] },
    sessions: {
      limit: SLOTS + 3,
      slots: SLOTS,
      ...(subject === 'leasehold' ? { headroomLimit: SLOTS - 1 } : {}),
      peak: SLOTS,
      samples: buckets.map((index) => ({
        atMs: index * BUCKET_MS,
        total: Math.min(SLOTS - 1, 10 + index + (index % 3)),
      })),
    },
    answeredPerS: buckets.map((index) => ratePerS * wave(index)),
    latencyOverTime: buckets.map((index) => ({
      atMs: index * BUCKET_MS,
      p50: p50 * wave(index),
      p99: p99 * wave(index),
    })),
    connects: 50,
    connectsPerAnswer: 50 / answered,
    refused: 12 * place,
    serverCpuMs: 9_000,
    harnessCpuMs: 3_000,
    machineBusy: 0.97,
    othersBusy: 0.01,
    runtime: 'aws',
    ...more,
  }
}

export function inventedPart(run: FleetRun, fromMs: number): Part {
  const { requests, ratePerS, latencyMs, environments, durationMs } = run
  return { requests, ratePerS, latencyMs, environments, fromMs, durationMs: durationMs - fromMs }
}

export function inventedFile(runs: readonly FleetRun[], startedAt = '2001-01-01T00:00:00.000Z'): BenchFile {
  return {
    machine: { cores: 2, memoryBytes: 8 * 2 ** 30, node: 'v0.0.0', kernel: '0.0', cpuModel: 'invented' },
    versions: { PostgreSQL: '0.0', pg: '0.0.0' },
    startedAt,
    command: 'invented',
    runs,
  }
}

/** A simulated run of three seconds. */
export function inventedSimulation(scenario: string, policy: string): Figures {
  const [answered, ratePerS, connectsPerAnswer] = [300, 100, 0.5]
  return {
    scenario,
    policy,
    engine: 'postgresql',
    seed: 1,
    slots: 97,
    environments: 1_000,
    arrived: answered,
    answered,
    failed: 0,
    throttled: 0,
    pending: 0,
    answeredShare: 1,
    seconds: 3,
    ratePerS,
    p50Ms: 20,
    p95Ms: 30,
    p99Ms: 40,
    maxMs: 50,
    worstToMedian: 1,
    mostSessions: 90,
    meanPressure: 0.9,
    connectsPerAnswer,
    refusalsPerS: 0,
    censusesPerS: 1,
    cpuShare: 0.5,
    lapses: 0,
    stats: {},
    samples: [1, 2, 3].map((second) => ({
      second,
      sessions: 90,
      pressure: 0.9,
      answered: ratePerS,
      failed: 0,
      throttled: 0,
      waiting: 0,
      connects: ratePerS * connectsPerAnswer,
      refusals: 0,
      busyMs: 500,
    })),
    events: 1,
    tookMs: 1,
  }
}
