// Every run in one row: the last thing in the terminal, and the first in the report. Pure.
import type { Outcome } from './outcome.ts'
import { count, duration, share } from './wording.ts'

export interface SummaryColumn {
  readonly group: string
  readonly title: string
  readonly value: (outcome: Outcome) => string
  /** Only in the report: the terminal is narrow. */
  readonly isDetail?: true
  /** Whether this outcome deserves a warning colour. */
  readonly isBad?: (outcome: Outcome) => boolean
}

export const SUMMARY_COLUMNS: readonly SummaryColumn[] = [
  {
    group: 'burst',
    title: 'answered',
    value: ({ burst }) => share(burst.answeredShare),
    isBad: ({ burst }) => burst.failedCount > 0,
  },
  {
    group: 'burst',
    title: 'failed',
    value: ({ burst }) => count(burst.failedCount),
    isBad: ({ burst }) => burst.failedCount > 0,
  },
  { group: 'burst', title: 'per s', value: ({ burst }) => count(burst.answersPerSecond) },
  { group: 'burst', title: 'p50', value: ({ burst }) => duration(burst.p50Ms) },
  { group: 'burst', title: 'p99', value: ({ burst }) => duration(burst.p99Ms) },
  { group: 'burst', title: 'slowest', isDetail: true, value: ({ burst }) => duration(burst.slowestMs) },
  { group: 'sessions', title: 'peak', value: (outcome) => `${outcome.peakSessions} of ${outcome.slots}` },
  { group: 'sessions', title: 'after quiet', value: (outcome) => count(outcome.sessionsAfterQuiet) },
  {
    group: 'second function',
    title: 'answered',
    value: ({ secondFunction }) => share(secondFunction.answeredShare),
    isBad: ({ secondFunction }) => secondFunction.failedCount > 0,
  },
  {
    group: 'second function',
    title: 'p99',
    isDetail: true,
    value: ({ secondFunction }) => duration(secondFunction.p99Ms),
  },
]

/** Two header lines, then a line for each outcome. */
export function summaryTable(outcomes: readonly Outcome[]): readonly string[] {
  const columns = SUMMARY_COLUMNS.filter(({ isDetail }) => isDetail === undefined)
  const groups = ['', '', ...columns.map(({ group }) => group)]
  const titles = ['server', 'pool', ...columns.map(({ title }) => title)]
  const rows = outcomes.map((outcome) => [
    outcome.serverName,
    outcome.variant,
    ...columns.map(({ value }) => value(outcome)),
  ])
  const widths = titles.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  )
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) =>
        column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd()
  return [groupLine(groups, widths), line(titles), ...rows.map(line)]
}

/** Each group's name stands once, over its first column; one that is wider than its group ends where it ends. */
function groupLine(groups: readonly string[], widths: readonly number[]): string {
  let text = ''
  let startsAt = 0
  for (const [column, group] of groups.entries()) {
    const isFirst = group !== '' && group !== groups[column - 1]
    if (isFirst) {
      const columns = widths.filter((_, index) => groups[index] === group)
      const groupWidth = columns.reduce((sum, width) => sum + width + 2, -2)
      text = text.padEnd(startsAt + Math.min(0, groupWidth - group.length)) + group
    }
    startsAt += (widths[column] ?? 0) + 2
  }
  return text
}
