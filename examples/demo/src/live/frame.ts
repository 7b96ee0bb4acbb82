// What the live view shows at one moment, as lines of text. Pure.
import type { Recording } from '../recording.ts'
import { PHASES, poolName, variantTitle } from '../scenario.ts'
import { endMs, failureReasons, percentile } from '../statistics.ts'
import { count, duration, share, stopwatch } from '../wording.ts'

/** Latency is shown for the answers of the last seconds, or the burst's tail would stand there for ever. */
const RECENT_MS = 2_000
const BAR_WIDTH = 40
/** The block must not be wider than a narrow terminal. */
const REASON_LENGTH = 40

/** How to colour a piece of text; plain text for terminals without colours. */
export interface Paint {
  readonly strong: (text: string) => string
  readonly faint: (text: string) => string
  readonly good: (text: string) => string
  readonly bad: (text: string) => string
}

export interface Progress {
  readonly recording: Recording
  /** Since the burst began. */
  readonly nowMs: number
  /** Since the demo was started. */
  readonly totalMs: number
  readonly runNumber: number
  readonly runCount: number
}

/** The block that is redrawn in place. */
export function frame({ recording, nowMs, totalMs, runNumber, runCount }: Progress, paint: Paint): string[] {
  const { serverName, engine, variant, slots } = recording
  const now = measure(recording, nowMs)
  const title = `${serverName}, ${variantTitle(variant)} (${poolName(engine, variant)})`
  const where = `run ${runNumber} of ${runCount}   ${stopwatch(totalMs)}`
  const failed = `${count(now.failedCount)}   ${share(now.failedShare)}`
  const lastFailure = now.commonFailure === undefined ? '' : paint.faint(`   ${shortened(now.commonFailure)}`)
  return [
    '',
    `  ${paint.strong(title)}   ${paint.faint(where)}`,
    `  ${phaseLine(recording, paint)}`,
    '',
    `  sessions  ${sessionsBar(now.sessionCount, slots, paint)}  ${now.sessionCount} of ${slots} slots`,
    `  answered  ${paint.good(count(now.answeredCount))}   ${count(now.answersPerSecond)}/s`,
    `  failed    ${now.failedCount > 0 ? paint.bad(failed) : failed}${lastFailure}`,
    `  latency   p50 ${duration(now.p50Ms)}   p99 ${duration(now.p99Ms)}`,
    '',
  ]
}

/** The same in one line, for output that can't be redrawn. */
export function plainLine({ recording, nowMs, totalMs }: Progress): string {
  const now = measure(recording, nowMs)
  const phase = recording.phases.at(-1)?.name ?? 'starting'
  const what = `${stopwatch(totalMs)} ${recording.serverName} ${recording.variant} ${phase}:`
  const load = `answered ${count(now.answeredCount)}, failed ${count(now.failedCount)}`
  const latency = `p50 ${duration(now.p50Ms)}, p99 ${duration(now.p99Ms)}`
  return `${what} sessions ${now.sessionCount} of ${recording.slots}, ${load}, ${latency}`
}

interface Measured {
  readonly sessionCount: number
  readonly answeredCount: number
  readonly failedCount: number
  readonly failedShare: number | undefined
  readonly commonFailure: string | undefined
  readonly answersPerSecond: number
  readonly p50Ms: number | undefined
  readonly p99Ms: number | undefined
}

function measure({ invocations, samples }: Recording, nowMs: number): Measured {
  const failedCount = invocations.filter(({ failure }) => failure !== undefined).length
  const recentMs = invocations
    .filter((invocation) => invocation.failure === undefined && endMs(invocation) > nowMs - RECENT_MS)
    .map(({ latencyMs }) => latencyMs)
  return {
    sessionCount: samples.at(-1)?.sessionCount ?? 0,
    answeredCount: invocations.length - failedCount,
    failedCount,
    failedShare: invocations.length === 0 ? undefined : failedCount / invocations.length,
    commonFailure: failureReasons(invocations)[0]?.reason,
    answersPerSecond: recentMs.length / (RECENT_MS / 1_000),
    p50Ms: percentile(recentMs, 0.5),
    p99Ms: percentile(recentMs, 0.99),
  }
}

function phaseLine({ phases }: Recording, paint: Paint): string {
  const current = phases.at(-1)?.name
  if (current === undefined) return paint.faint('environments start …')
  return PHASES.map(({ name, title }) => (name === current ? paint.strong(title) : paint.faint(title))).join(
    paint.faint('  ›  '),
  )
}

function sessionsBar(sessionCount: number, slots: number, paint: Paint): string {
  const filled = Math.min(BAR_WIDTH, Math.round((sessionCount / slots) * BAR_WIDTH))
  const bar = '█'.repeat(filled)
  return (
    (sessionCount >= slots ? paint.bad(bar) : paint.good(bar)) + paint.faint('░'.repeat(BAR_WIDTH - filled))
  )
}

function shortened(reason: string): string {
  return reason.length <= REASON_LENGTH ? reason : `${reason.slice(0, REASON_LENGTH - 1)}…`
}
