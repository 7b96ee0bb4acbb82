// What came of the simulated grid: answered, latency and churn, for every limit and every size of the fleet.
import type { TopLevelSpec } from 'vega-lite'

import { type Bar, barColumn, latencyColumn, type Row, rowsChart, type Spread } from './rows.ts'
import type { GridCell } from './simulated.ts'
import { subjectOf } from './subjects.ts'
import { grouped, shareText } from './wording.ts'

const ROW_HEIGHT = 30

/** `cells`: those of one size of the fleet. */
export function simulationSummary(cells: readonly GridCell[]): TopLevelSpec {
  const rows: Row[] = []
  const answered: Bar[] = []
  const churn: Bar[] = []
  const spreads: Spread[] = []
  for (const { maxConnections, runs } of cells) {
    const heading = `max_connections ${grouped(maxConnections)}`
    rows.push({ key: heading, label: heading })
    for (const run of runs) {
      const { title, colour } = subjectOf(run.policy)
      const key = `${heading} ${run.policy}`
      const connectsPerS = run.connectsPerAnswer * run.ratePerS
      rows.push({ key, label: title, colour })
      answered.push({ key, colour, value: run.answeredShare, text: shareText(run.answeredShare) })
      churn.push({ key, colour, value: connectsPerS, text: grouped(connectsPerS) })
      const { p50Ms, p95Ms, p99Ms, maxMs } = run
      spreads.push({ key, colour, p50Ms, p95Ms, p99Ms, maxMs })
    }
  }
  const size = { rows, rowHeight: ROW_HEIGHT }
  const mostChurn = Math.max(1, ...churn.map(({ value }) => value)) * 1.45
  return rowsChart({
    ...size,
    columns: [
      barColumn({ ...size, title: 'Answered', width: 130 }, answered, 1.55),
      latencyColumn({ ...size, width: 300 }, spreads, []),
      barColumn({ ...size, title: 'Connects per second', width: 140 }, churn, mostChurn),
    ],
  })
}
