/** Renders the list of metrics as the docs show it. */

import { type MetricField, METRICS } from './metrics.ts'

/** A Markdown table of all metrics, for the docs. */
export function metricsTable(): string {
  const rows = Object.entries<MetricField>(METRICS).map(
    ([name, { kind, unit, meaning }]) =>
      `| \`${name}\` | ${unit} | ${kind === 'count' ? 'sum' : 'distribution'} | ${meaning} |`,
  )
  return ['| metric | unit | statistic | meaning |', '|---|---|---|---|', ...rows].join('\n')
}
