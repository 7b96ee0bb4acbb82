// What came of one scenario on one engine: answered, rate and latency of every subject, and of each part by itself.
import type { TopLevelSpec } from 'vega-lite'

import type { FleetRun, Part } from '../result.ts'
import { answeredShare, type Entry, type Group, medianOf, partsOf, rangeOf } from './groups.ts'
import { type Bar, barColumn, latencyColumn, type Row, rowsChart, type Spread } from './rows.ts'
import { subjectOf } from './subjects.ts'
import { grouped, shareText } from './wording.ts'

const ROW_HEIGHT = 32
const MOST_PARTS = 3

type Figures = Pick<FleetRun & Part, 'requests' | 'ratePerS' | 'latencyMs'>

export function fleetSummary({ entries }: Group): TopLevelSpec {
  const rows: Row[] = []
  const answered: Bar[] = []
  const rates: Bar[] = []
  const spreads: Spread[] = []
  const silent: string[] = []
  for (const part of shownParts(entries)) {
    if (part !== undefined) rows.push({ key: part, label: part })
    for (const { subject, runs } of entries) {
      const figures = runs.map((run): Figures | undefined => (part === undefined ? run : run.parts?.[part]))
      const present = figures.filter((each) => each !== undefined)
      if (present.length === 0) continue
      const { title, colour } = subjectOf(subject)
      const key = `${part ?? ''} ${subject}`
      rows.push({ key, label: title, colour })
      const share = answeredShare(present)
      answered.push({ key, colour, value: share, text: shareText(share) })
      const { low, median, high } = rangeOf(present, ({ ratePerS }) => ratePerS)
      rates.push({ key, colour, value: median, text: grouped(median), low, high })
      const spread = spreadOf(key, colour, present)
      if (spread === undefined) silent.push(key)
      else spreads.push(spread)
    }
  }
  const size = { rows, rowHeight: ROW_HEIGHT }
  const mostRate = Math.max(1, ...rates.map(({ value, high = value }) => high))
  return rowsChart({
    ...size,
    columns: [
      barColumn({ ...size, title: 'Answered', width: 130 }, answered, 1.55),
      barColumn({ ...size, title: 'Answers per second', width: 140 }, rates, mostRate * 1.45),
      latencyColumn({ ...size, width: 300 }, spreads, silent),
    ],
  })
}

/** More would be a chart that nobody reads; `undefined` stands for the whole run. */
function shownParts(entries: readonly Entry[]): readonly (string | undefined)[] {
  const names = partsOf(entries)
  return names.length === 0 || names.length > MOST_PARTS ? [undefined] : names
}

function spreadOf(key: string, colour: string, figures: readonly Figures[]): Spread | undefined {
  const p50Ms = medianOf(figures, ({ latencyMs }) => latencyMs.p50)
  if (!(p50Ms > 0)) return undefined
  return {
    key,
    colour,
    p50Ms,
    p95Ms: medianOf(figures, ({ latencyMs }) => latencyMs.p95),
    p99Ms: medianOf(figures, ({ latencyMs }) => latencyMs.p99),
    maxMs: Math.max(...figures.map(({ latencyMs }) => latencyMs.max).filter((ms) => ms > 0)),
  }
}
