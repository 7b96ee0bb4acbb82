// One run in a few numbers: the rows of the final table and of the report's. Pure.
import type { InvocationRecord, Recording, RunIdentity } from './recording.ts'
import { phaseDurationMs, type PhaseName } from './scenario.ts'
import {
  endMs,
  failureReasons,
  type FailureReason,
  peakSessions,
  percentile,
  sessionsAt,
} from './statistics.ts'

/** What became of the requests of one phase. */
export interface LoadOutcome {
  readonly requestCount: number
  readonly answeredCount: number
  readonly failedCount: number
  /** 0 to 1; `undefined` without a request. */
  readonly answeredShare: number | undefined
  /** While the load was on; what trickles in after its end does not count. */
  readonly answersPerSecond: number
  readonly p50Ms: number | undefined
  readonly p99Ms: number | undefined
  readonly slowestMs: number | undefined
  readonly answeringEnvironments: number
}

export interface Outcome extends RunIdentity {
  readonly burst: LoadOutcome
  readonly secondFunction: LoadOutcome
  readonly peakSessions: number
  readonly sessionsAfterQuiet: number | undefined
  readonly sessionsAfterTakenAway: number | undefined
  readonly failureReasons: readonly FailureReason[]
}

export function outcomeOf(recording: Recording): Outcome {
  const { engine, serverName, variant, slots, samples, invocations } = recording
  return {
    engine,
    serverName,
    variant,
    slots,
    burst: loadOutcome(recording, 'burst'),
    secondFunction: loadOutcome(recording, 'second-function'),
    peakSessions: peakSessions(samples),
    sessionsAfterQuiet: sessionsAtEnd(recording, 'quiet'),
    sessionsAfterTakenAway: sessionsAtEnd(recording, 'taken-away'),
    failureReasons: failureReasons(invocations),
  }
}

function loadOutcome(recording: Recording, phase: PhaseName): LoadOutcome {
  const requests = recording.invocations.filter((invocation) => invocation.phase === phase)
  const answered = requests.filter(({ failure }) => failure === undefined)
  const latenciesMs = answered.map(({ latencyMs }) => latencyMs)
  return {
    requestCount: requests.length,
    answeredCount: answered.length,
    failedCount: requests.length - answered.length,
    answeredShare: requests.length === 0 ? undefined : answered.length / requests.length,
    answersPerSecond: answersPerSecond(recording, phase, answered),
    p50Ms: percentile(latenciesMs, 0.5),
    p99Ms: percentile(latenciesMs, 0.99),
    slowestMs: percentile(latenciesMs, 1),
    answeringEnvironments: new Set(answered.map(({ environmentId }) => environmentId)).size,
  }
}

function answersPerSecond(
  { phases }: Recording,
  phase: PhaseName,
  answered: readonly InvocationRecord[],
): number {
  const span = phases.find(({ name }) => name === phase)
  if (span === undefined) return 0
  const durationMs = phaseDurationMs(phase)
  const inTime = answered.filter((invocation) => endMs(invocation) <= span.startMs + durationMs)
  return inTime.length / (durationMs / 1_000)
}

function sessionsAtEnd({ phases, samples }: Recording, phase: PhaseName): number | undefined {
  const ended = phases.find(({ name }) => name === phase)?.endMs
  return ended === undefined ? undefined : sessionsAt(samples, ended)
}
