// A run as a line, all of them as a table, and the targets as another.
import type { FleetRun } from './result.ts'
import type { Verdict } from './targets.ts'

type Column = readonly [title: string, text: (run: FleetRun) => string]

const whole = (value: number): string => value.toFixed(0)

const COLUMNS: readonly Column[] = [
  ['scenario', ({ scenario }) => scenario],
  ['engine', ({ engine }) => engine],
  ['subject', ({ subject }) => subject],
  ['round', ({ round }) => String(round)],
  ['answered %', ({ requests: { answered, failed } }) => ((100 * answered) / (answered + failed)).toFixed(2)],
  ['failed', ({ requests }) => String(requests.failed)],
  ['throttled', ({ requests }) => String(requests.throttled)],
  ['rate/s', ({ ratePerS }) => whole(ratePerS)],
  ['p50 ms', ({ latencyMs }) => whole(latencyMs.p50)],
  ['p95 ms', ({ latencyMs }) => whole(latencyMs.p95)],
  ['p99 ms', ({ latencyMs }) => whole(latencyMs.p99)],
  ['max ms', ({ latencyMs }) => whole(latencyMs.max)],
  ['worst/median', ({ environments }) => environments.worstToMedian.toFixed(2)],
  ['peak', ({ sessions }) => `${sessions.peak} of ${sessions.slots}`],
  ['connects', ({ connects }) => String(connects)],
  ['each', ({ connectsPerAnswer }) => connectsPerAnswer.toFixed(3)],
  ['refused', ({ refused }) => String(refused)],
  ['server s', ({ serverCpuMs }) => (serverCpuMs / 1_000).toFixed(1)],
  ['pooler s', ({ poolerCpuMs }) => (poolerCpuMs === undefined ? '' : (poolerCpuMs / 1_000).toFixed(1))],
  ['harness s', ({ harnessCpuMs }) => (harnessCpuMs / 1_000).toFixed(1)],
  ['busy', ({ machineBusy }) => machineBusy.toFixed(2)],
  ['others', ({ othersBusy }) => othersBusy.toFixed(2)],
]

export function tableOf(runs: readonly FleetRun[]): string {
  return markdown(
    COLUMNS.map(([title]) => title),
    runs.map((run) => COLUMNS.map(([, text]) => text(run))),
  )
}

export function verdictTable(verdicts: readonly Verdict[]): string {
  return markdown(
    ['scenario', 'engine', 'Leasehold is to have', 'found', 'met'],
    verdicts.map(({ scenario, engine, target, found, isMet }) => [
      scenario,
      engine,
      target,
      found,
      isMet ? 'yes' : 'NO',
    ]),
  )
}

/** Its columns aligned. */
function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    rows.reduce((widest, row) => Math.max(widest, (row[column] ?? '').length), title.length),
  )
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n')
}

/** What is told of a run as soon as it is over. */
export function lineOf(run: FleetRun): string {
  const { requests, latencyMs, environments, sessions } = run
  const failures = Object.entries(requests.failures).map(([name, count]) => `${count} × ${name}`)
  return [
    `${run.scenario} ${run.engine} ${run.subject} #${run.round}:`,
    `answered ${requests.answered}, failed ${requests.failed}${failures.length === 0 ? '' : ` (${failures.join(', ')})`},`,
    `throttled ${requests.throttled}, ${whole(run.ratePerS)}/s,`,
    `p50 ${whole(latencyMs.p50)} p99 ${whole(latencyMs.p99)} max ${whole(latencyMs.max)} ms,`,
    `worst/median ${environments.worstToMedian.toFixed(2)}, peak ${sessions.peak} of ${sessions.slots},`,
    `connects ${run.connects}, refused ${run.refused}, busy ${run.machineBusy.toFixed(2)}, others ${run.othersBusy.toFixed(2)}`,
  ].join(' ')
}
