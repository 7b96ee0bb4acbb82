// One scenario on one engine over time: a row for each subject with its sessions, its answers and its latency.
import type { TopLevelSpec } from 'vega-lite'

import type { FleetRun } from '../result.ts'
import { type Group, middleRun } from './groups.ts'
import { latencyPanel, ratePanel, type Scales, sessionsPanel } from './over-time-panels.ts'
import { subjectOf } from './subjects.ts'
import { keyLayers, titleLayer } from './texts.ts'
import { CONFIG, type Panel } from './theme.ts'

/** Of one panel and the axis beside it; there are three in a row. */
const PANEL_WIDTH = 218
const AXIS_WIDTH = 56
/** Where the texts above panels are, from a panel's upper left corner. */
const EDGE = -48
const HEADING_Y = -14
const TITLE_Y = -38
const COLUMN_TITLES = ['Sessions on the server', 'Answers per second', 'Latency: p50 fine, p99 bold']
const RATE_BUCKET_MS = 250

export function fleetOverTime({ entries }: Group): TopLevelSpec {
  const shown = entries.map((entry) => ({ ...subjectOf(entry.subject), run: middleRun(entry) }))
  const scales = commonScales(shown.map(({ run }) => run))
  const rows = shown.map(({ title, colour, run }, index) => {
    const above = keyLayers([{ title, colour }], EDGE, HEADING_Y)
    const panels = [
      sessionsPanel(run, colour, scales),
      ratePanel(run, colour, scales),
      latencyPanel(run, colour, scales),
    ]
    return panels.map((panel, column): Panel => {
      const titles = index === 0 ? [titleLayer(COLUMN_TITLES[column] ?? '', EDGE, TITLE_Y)] : []
      return { ...panel, layer: [...panel.layer, ...titles, ...(column === 0 ? above : [])] }
    })
  })
  return {
    config: CONFIG,
    padding: { left: 16, right: 18, top: 16, bottom: 14 },
    spacing: { row: 50, column: AXIS_WIDTH },
    bounds: 'flush',
    columns: COLUMN_TITLES.length,
    concat: rows.flat(),
  }
}

/** The same axes for everybody. */
function commonScales(runs: readonly FleetRun[]): Scales {
  const most = (figures: readonly number[]): number =>
    figures.reduce((left, right) => Math.max(left, right), 1)
  const latencies = runs.flatMap(({ latencyOverTime }) =>
    latencyOverTime.flatMap(({ p50, p99 }) => [p50, p99]),
  )
  const positive = latencies.filter((ms) => ms > 0)
  return {
    width: PANEL_WIDTH,
    lastMs: most(
      runs.flatMap(({ durationMs, answeredPerS, sessions }) => [
        durationMs,
        answeredPerS.length * RATE_BUCKET_MS,
        sessions.samples.at(-1)?.atMs ?? 0,
      ]),
    ),
    bucketMs: RATE_BUCKET_MS,
    mostSessions: 1.2 * most(runs.flatMap(({ sessions }) => [sessions.slots, sessions.peak])),
    mostPerS:
      1.05 * most(runs.flatMap(({ answeredPerS, offered }) => [...answeredPerS, ...(offered?.perS ?? [])])),
    latencyMs: [
      positive.reduce((least, ms) => Math.min(least, ms), 10),
      1.2 * Math.max(1_000, most(positive)),
    ],
  }
}
