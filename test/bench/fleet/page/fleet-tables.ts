// The tables of one scenario on one engine: what came back, what it took, and what failed.
import {
  answeredShare,
  type Entry,
  type Group,
  medianOf,
  partsOf,
  type Range,
  rangeOf,
  sum,
} from '../charts/groups.ts'
import { subjectOf } from '../charts/subjects.ts'
import { grouped, shareText } from '../charts/wording.ts'
import type { FleetRun, Part } from '../result.ts'
import { type Column, folded, table } from './markdown.ts'

type Figures = Pick<FleetRun & Part, 'requests' | 'ratePerS' | 'latencyMs' | 'environments'>

interface PartRow {
  readonly part: string
  readonly title: string
  readonly runs: readonly Figures[]
}

/** More rows are folded away. */
const MOST_PART_ROWS = 15
const MOST_FAILURES = 4

export function tablesOf({ entries }: Group): string {
  const parts = partRows(entries)
  const partTable = table(parts, [['part', ({ part }) => part], ...answerColumns<PartRow>()])
  return [
    table(
      entries.map((entry) => ({ ...entry, title: subjectOf(entry.subject).title })),
      [...answerColumns<Entry & { readonly title: string }>()],
    ),
    table(entries, SERVER_COLUMNS),
    ...(parts.length === 0
      ? []
      : [parts.length > MOST_PART_ROWS ? folded('Each part', partTable) : partTable]),
    ...failures(entries),
  ].join('\n\n')
}

function answerColumns<
  T extends { readonly title: string; readonly runs: readonly Figures[] },
>(): Column<T>[] {
  return [
    ['who', ({ title }) => title],
    ['rounds', ({ runs }) => String(runs.length)],
    ['answered', ({ runs }) => shareText(answeredShare(runs))],
    ['failed', ({ runs }) => grouped(sum(runs, ({ requests }) => requests.failed))],
    ['throttled', ({ runs }) => unlessNone(sum(runs, ({ requests }) => requests.throttled))],
    ['answers/s', ({ runs }) => ranged(rangeOf(runs, ({ ratePerS }) => ratePerS))],
    ['p50 ms', ({ runs }) => latency(medianOf(runs, ({ latencyMs }) => latencyMs.p50))],
    ['p95 ms', ({ runs }) => latency(medianOf(runs, ({ latencyMs }) => latencyMs.p95))],
    ['p99 ms', ({ runs }) => ranged(rangeOf(runs, ({ latencyMs }) => latencyMs.p99))],
    ['slowest ms', ({ runs }) => ranged(rangeOf(runs, ({ latencyMs }) => latencyMs.max))],
    [
      'worst/median',
      ({ runs }) =>
        digits(
          medianOf(runs, ({ environments }) => environments.worstToMedian),
          2,
        ),
    ],
  ]
}

const SERVER_COLUMNS: readonly Column<Entry>[] = [
  ['who', ({ subject }) => subjectOf(subject).title],
  ['most sessions', ({ runs }) => mostSessions(runs)],
  [
    'connects',
    ({ runs }) =>
      digits(
        medianOf(runs, ({ connects }) => connects),
        0,
      ),
  ],
  [
    'connects/answer',
    ({ runs }) =>
      digits(
        medianOf(runs, ({ connectsPerAnswer }) => connectsPerAnswer),
        4,
      ),
  ],
  [
    'refused',
    ({ runs }) =>
      digits(
        medianOf(runs, ({ refused }) => refused),
        0,
      ),
  ],
  [
    'server CPU s',
    ({ runs }) =>
      digits(
        medianOf(runs, ({ serverCpuMs }) => serverCpuMs / 1_000),
        2,
      ),
  ],
  [
    'CPU ms/answer',
    ({ runs }) =>
      digits(
        medianOf(
          runs,
          ({ serverCpuMs, poolerCpuMs = 0, requests }) => (serverCpuMs + poolerCpuMs) / requests.answered,
        ),
        2,
      ),
  ],
  [
    'pooler CPU s',
    ({ runs }) =>
      runs.every(({ poolerCpuMs }) => poolerCpuMs === undefined)
        ? ''
        : digits(
            medianOf(runs, ({ poolerCpuMs = Number.NaN }) => poolerCpuMs / 1_000),
            2,
          ),
  ],
  [
    'harness CPU s',
    ({ runs }) =>
      digits(
        medianOf(runs, ({ harnessCpuMs }) => harnessCpuMs / 1_000),
        2,
      ),
  ],
  ['machine busy', ({ runs }) => percent(medianOf(runs, ({ machineBusy }) => machineBusy))],
  ['by others', ({ runs }) => percent(medianOf(runs, ({ othersBusy }) => othersBusy))],
]

function mostSessions(runs: readonly FleetRun[]): string {
  const most = Math.max(...runs.map(({ sessions }) => sessions.peak))
  const [{ sessions } = { sessions: undefined }] = runs
  if (sessions === undefined) return ''
  const { slots, headroomLimit } = sessions
  return `${most} of ${slots}${headroomLimit === undefined ? '' : ` (may have ${headroomLimit})`}`
}

function partRows(entries: readonly Entry[]): readonly PartRow[] {
  return partsOf(entries).flatMap((part) =>
    entries
      .map(({ subject, runs }) => ({
        part,
        title: subjectOf(subject).title,
        runs: runs.flatMap(({ parts }) => parts?.[part] ?? []),
      }))
      .filter(({ runs }) => runs.length > 0),
  )
}

/** What the requests that failed failed with, most often first. */
function failures(entries: readonly Entry[]): readonly string[] {
  const lines = entries.flatMap(({ subject, runs }) => {
    const counts = new Map<string, number>()
    for (const { requests } of runs) {
      for (const [name, count] of Object.entries(requests.failures)) {
        counts.set(name, (counts.get(name) ?? 0) + count)
      }
    }
    if (counts.size === 0) return []
    const told = [...counts]
      .toSorted(([, left], [, right]) => right - left)
      .slice(0, MOST_FAILURES)
      .map(([name, count]) => `${grouped(count)} × \`${name}\``)
    return [`${subjectOf(subject).title} ${told.join(', ')}`]
  })
  return lines.length === 0 ? [] : [`Failed with: ${lines.join('; ')}.`]
}

const unlessNone = (value: number): string => (value === 0 ? '' : grouped(value))

/** `1,012 (980 to 1,040)`: the median, and the range where there are several rounds. */
function ranged({ low, median, high }: Range): string {
  if (!Number.isFinite(median)) return '–'
  return low === high ? grouped(median) : `${grouped(median)} (${grouped(low)} to ${grouped(high)})`
}

function latency(ms: number): string {
  if (!Number.isFinite(ms)) return '–'
  return ms < 10 ? ms.toFixed(1) : grouped(ms)
}

function percent(share: number): string {
  return Number.isFinite(share) ? `${(100 * share).toFixed(0)} %` : '–'
}

function digits(value: number, count: number): string {
  return Number.isFinite(value) ? value.toFixed(count) : '–'
}
