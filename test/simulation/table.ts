// Figures as a table for the terminal.
import type { Figures } from './figures.ts'

type Column = readonly [title: string, text: (figures: Figures) => string]

const whole = (value: number): string => (Number.isFinite(value) ? value.toFixed(0) : '-')

const COLUMNS: readonly Column[] = [
  ['scenario', ({ scenario }) => scenario],
  ['engine', ({ engine }) => engine],
  ['policy', ({ policy }) => policy],
  ['answered %', ({ answeredShare }) => (100 * answeredShare).toFixed(2)],
  ['rate/s', ({ ratePerS }) => whole(ratePerS)],
  ['p50 ms', ({ p50Ms }) => whole(p50Ms)],
  ['p95 ms', ({ p95Ms }) => whole(p95Ms)],
  ['p99 ms', ({ p99Ms }) => whole(p99Ms)],
  ['max ms', ({ maxMs }) => whole(maxMs)],
  ['worst/median', ({ worstToMedian }) => worstToMedian.toFixed(1)],
  ['pressure', ({ meanPressure }) => meanPressure.toFixed(2)],
  ['connects/answer', ({ connectsPerAnswer }) => connectsPerAnswer.toFixed(3)],
  ['refused/s', ({ refusalsPerS }) => whole(refusalsPerS)],
  ['censuses/s', ({ censusesPerS }) => whole(censusesPerS)],
  ['yields', ({ stats }) => (stats.yielded === undefined ? '-' : String(stats.yielded))],
  ['lapses', ({ lapses }) => String(lapses)],
  ['throttled', ({ throttled }) => String(throttled)],
  ['cpu', ({ cpuShare }) => cpuShare.toFixed(2)],
  ['took s', ({ tookMs }) => (tookMs / 1_000).toFixed(1)],
]

/** A Markdown table, its columns aligned. */
export function tableOf(all: readonly Figures[]): string {
  const rows = [
    COLUMNS.map(([title]) => title),
    ...all.map((figures) => COLUMNS.map(([, text]) => text(figures))),
  ]
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  const lines = rows.map(
    (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`,
  )
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`
  return [lines[0], rule, ...lines.slice(1)].join('\n')
}
