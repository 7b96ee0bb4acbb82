/** PURE: a plan as people read it. */

import type { KnownLimit } from './limit-source.ts'
import type { Plan } from './plan.ts'
import { terminalChart } from './terminal-chart.ts'
import type { LoadKind } from './trial.ts'

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const shown = (value: number): string => whole.format(value)

const LOADS: Readonly<Record<LoadKind, string>> = {
  planned: 'as planned',
  spread: 'spread over all environments',
  saturated: 'every environment busy',
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  )
}

function slotsText({ slots }: Plan, { source, loginLimitCount }: KnownLimit): string[] {
  const { maxConnections, reservedCount, otherCount, headroomCount, functionsCount } = slots
  const own =
    loginLimitCount === undefined
      ? ''
      : `, and no more than ${shown(loginLimitCount)} for this login or database`
  return [
    `max_connections ${shown(maxConnections)} (${source})`,
    `less ${shown(reservedCount)} reserved, ${shown(otherCount)} of other applications, ${shown(headroomCount)} headroom${own}: ${shown(functionsCount)} slots`,
  ]
}

function demandText({ demand, slots }: Plan): string {
  const { ratePerS, busySessions, meanConcurrency, carriedPerS } = demand
  const share = (100 * busySessions) / slots.functionsCount
  return `${shown(ratePerS)} requests/s use ${busySessions.toFixed(1)} sessions at once (${shown(share)} % of the slots) in ${meanConcurrency.toFixed(1)} invocations; the slots carry ${shown(carriedPerS)}/s at the very best`
}

function adviceText(plan: Plan): string[] {
  const { functions, poolSize, mostPoolSize, slots, total, p99TargetMs } = plan
  const cell = (value: number | undefined): string =>
    value === undefined || value === 0 ? 'none' : shown(value)
  const hasGiven = functions.some(({ concurrency }) => concurrency !== undefined)
  const rows = [
    ['reserved concurrency', 'recommended', 'at least', 'at most', ...(hasGiven ? ['given'] : [])],
    ...functions.map(({ name, recommended, lowest, highest, concurrency }) => [
      `  ${name}`,
      cell(recommended),
      cell(lowest),
      cell(highest) + (total.fails === undefined && highest > 0 ? '+' : ''),
      ...(hasGiven ? [concurrency === undefined ? '-' : shown(concurrency)] : []),
    ]),
  ]
  const side = mostPoolSize > 1 ? `; up to ${mostPoolSize} where requests run statements side by side` : ''
  return [
    ...table(rows),
    `pool size             ${poolSize} an environment${side}`,
    `headroom              ${shown(slots.headroomCount)} slots; kept by a limit of the login: ${limitStatement(plan)}`,
    `With less than "at least" Lambda turns requests away; with more than "at most" the server may not answer within ${shown(p99TargetMs)} ms (p99).`,
  ]
}

/** The server itself refuses beyond it, and the census knows it. */
function limitStatement({ engine, slots }: Plan): string {
  return engine === 'postgresql'
    ? `alter role app connection limit ${slots.functionsCount}`
    : `alter user app with max_user_connections ${slots.functionsCount}`
}

function runsText({ tried }: Plan): string[] {
  const rows = [
    [
      'simulated',
      'answered',
      'turned away',
      'rate/s',
      'p50 ms',
      'p99 ms',
      'slowest ms',
      'sessions',
      'connects/answer',
      '',
    ],
    ...tried.map((trial) => [
      `  ${LOADS[trial.load]}`,
      `${(100 * trial.answeredShare).toFixed(1)} %`,
      shown(trial.throttled),
      shown(trial.ratePerS),
      shown(trial.p50Ms),
      shown(trial.p99Ms),
      shown(trial.maxMs),
      shown(trial.mostSessions),
      trial.connectsPerAnswer.toFixed(3),
      trial.holds ? 'holds' : 'FAILS',
    ]),
  ]
  return table(rows)
}

/** @param provenance of the simulator's costs */
export function report(plan: Plan, limit: KnownLimit, provenance: string): string {
  const isGiven = plan.functions.some(({ concurrency }) => concurrency !== undefined)
  const what = isGiven ? 'The concurrency that is set' : 'The recommended concurrency'
  const fails =
    isGiven && plan.total.recommended !== undefined
      ? `${what} will not do: see the warnings, and what is recommended.`
      : 'This load is not carried: see the warnings.'
  const verdict = plan.holds ? `${what} keeps everything answered.` : fails
  return [
    verdict,
    '',
    ...slotsText(plan, limit),
    demandText(plan),
    '',
    ...adviceText(plan),
    '',
    ...runsText(plan),
    '',
    terminalChart(plan),
    '',
    ...plan.warnings.map((warning) => `! ${warning}`),
    ...(plan.warnings.length === 0 ? [] : ['']),
    `Simulated with ${plan.cores} processors; ${provenance}`,
    '',
  ].join('\n')
}
