// The three charts of a run as Vega-Lite specifications. Pure; colours are variables of the page's style sheet.
import type { TopLevelSpec } from 'vega-lite'

import type { Recording } from '../recording.ts'
import { phaseDurationMs, type PhaseName, TAKEN_AWAY_COUNT } from '../scenario.ts'
import { countPerBucket, latencyPerBucket } from '../statistics.ts'
import { BUCKET_MS, type Scales } from './scales.ts'

type Layer = Extract<TopLevelSpec, { layer: unknown }>['layer'][number]

const WIDTH = 530
const LATENCY_TICKS_MS = [10, 30, 100, 300, 1_000, 3_000]

const CONFIG: NonNullable<TopLevelSpec['config']> = {
  aria: false,
  background: 'transparent',
  view: { stroke: null },
  axis: {
    domain: false,
    ticks: false,
    gridColor: 'var(--grid)',
    labelColor: 'var(--faint)',
    labelFontSize: 11,
    labelPadding: 6,
  },
  // Every panel's plot begins and ends at the same place, whatever its labels are.
  axisY: { minExtent: 42, maxExtent: 42 },
}

/** What the bands say: the full titles would not fit. */
const BAND_LABELS: Readonly<Record<PhaseName, string>> = {
  burst: 'burst',
  quiet: 'quiet',
  'taken-away': `${TAKEN_AWAY_COUNT} taken`,
  'second-function': 'second function',
}

/** Sessions over time against the slots. */
export function sessionsPanel(recording: Recording, scales: Scales): TopLevelSpec {
  const { slots, samples, phases } = recording
  const values = samples.map(({ atMs, sessionCount }) => ({ s: atMs / 1_000, sessionCount }))
  const labels = phases.map(({ name, startMs }) => ({ s: startMs / 1_000, text: BAND_LABELS[name] }))
  const scale = { domain: [0, scales.sessionCount], nice: false }
  return panel(recording, scales, 160, [
    {
      data: { values },
      mark: { type: 'area', interpolate: 'step-after', color: 'var(--sessions)', opacity: 0.25, line: true },
      encoding: {
        x: timeAxis('s', scales),
        y: { field: 'sessionCount', type: 'quantitative', title: null, scale, axis: { tickCount: 4 } },
      },
    },
    {
      data: { values: [{ slots, text: `${slots} slots` }] },
      layer: [
        {
          mark: { type: 'rule', color: 'var(--limit)', strokeDash: [5, 3], strokeWidth: 1.2 },
          encoding: { y: { field: 'slots', type: 'quantitative' } },
        },
        {
          mark: {
            type: 'text',
            align: 'right',
            x: 'width',
            dx: -4,
            dy: -7,
            fontSize: 11,
            color: 'var(--limit)',
          },
          encoding: { y: { field: 'slots', type: 'quantitative' }, text: { field: 'text' } },
        },
      ],
    },
    {
      data: { values: labels },
      mark: { type: 'text', align: 'left', y: 9, dx: 4, fontSize: 11, color: 'var(--faint)' },
      encoding: { x: timeAxis('s', scales), text: { field: 'text' } },
    },
  ])
}

/** Answered and failed requests per half second. */
export function requestsPanel(recording: Recording, scales: Scales): TopLevelSpec {
  const values = countPerBucket(recording.invocations, BUCKET_MS, scales.timeMs).flatMap((bucket) => {
    const [from, to] = [bucket.startMs / 1_000, (bucket.startMs + BUCKET_MS) / 1_000]
    return [
      { from, to, low: 0, high: bucket.answered, kind: 'answered' },
      { from, to, low: bucket.answered, high: bucket.answered + bucket.failed, kind: 'failed' },
    ].filter(({ low, high }) => high > low)
  })
  const scale = { domain: [0, scales.requestsPerBucket], nice: true }
  return panel(recording, scales, 130, [
    {
      data: { values },
      mark: { type: 'rect', stroke: 'var(--page)', strokeWidth: 0.7 },
      encoding: {
        x: timeAxis('from', scales),
        x2: { field: 'to' },
        y: { field: 'high', type: 'quantitative', title: null, scale, axis: { tickCount: 4 } },
        y2: { field: 'low' },
        fill: {
          field: 'kind',
          type: 'nominal',
          scale: { domain: ['answered', 'failed'], range: ['var(--answered)', 'var(--failed)'] },
          legend: null,
        },
      },
    },
  ])
}

/** Median, 99th percentile and slowest answer of each half second, on a logarithmic scale. */
export function latencyPanel(recording: Recording, scales: Scales): TopLevelSpec {
  // One line for each load, with nothing drawn across the silence between them.
  const buckets = recording.phases.flatMap(({ name }) =>
    latencyPerBucket(
      recording.invocations.filter(({ phase }) => phase === name),
      BUCKET_MS,
    ).map(({ startMs, p50Ms, p99Ms, slowestMs }) => {
      return { name, s: (startMs + BUCKET_MS / 2) / 1_000, p50Ms, p99Ms, slowestMs }
    }),
  )
  const lines = buckets.flatMap(({ s, name, p50Ms, p99Ms }) => [
    { s, line: `${name} p50`, kind: 'p50', latencyMs: p50Ms },
    { s, line: `${name} p99`, kind: 'p99', latencyMs: p99Ms },
  ])
  const y = latencyAxis(scales)
  return panel(recording, scales, 160, [
    {
      data: { values: buckets },
      mark: { type: 'circle', size: 16, color: 'var(--slowest)', opacity: 0.8 },
      encoding: { x: timeAxis('s', scales), y: { ...y, field: 'slowestMs' } },
    },
    {
      data: { values: lines },
      mark: { type: 'line', strokeWidth: 1.8 },
      encoding: {
        x: timeAxis('s', scales),
        y: { ...y, field: 'latencyMs' },
        detail: { field: 'line' },
        stroke: {
          field: 'kind',
          type: 'nominal',
          scale: { domain: ['p50', 'p99'], range: ['var(--p50)', 'var(--p99)'] },
          legend: null,
        },
      },
    },
    {
      data: { values: silentLoads(recording) },
      mark: { type: 'text', y: 80, fontSize: 12, color: 'var(--failed)' },
      encoding: { x: timeAxis('s', scales), text: { field: 'text' } },
    },
  ])
}

/** Where requests were sent and not one was answered, an empty chart would look like a fault of the chart. */
function silentLoads({ phases, invocations }: Recording): { s: number; text: string }[] {
  return phases
    .filter(({ name }) => {
      const requests = invocations.filter(({ phase }) => phase === name)
      return requests.length > 0 && requests.every(({ failure }) => failure !== undefined)
    })
    .map(({ name, startMs }) => ({
      s: (startMs + phaseDurationMs(name) / 2) / 1_000,
      text: 'no answer at all',
    }))
}

function panel(recording: Recording, scales: Scales, height: number, layers: readonly Layer[]): TopLevelSpec {
  return {
    width: WIDTH,
    height,
    padding: { left: 46, right: 16, top: 6, bottom: 20 },
    autosize: 'none',
    config: CONFIG,
    layer: [bands(recording, scales), ...layers],
  }
}

/** Every other phase on a darker ground. */
function bands({ phases }: Recording, scales: Scales): Layer {
  const values = phases
    .map(({ startMs, endMs }) => ({ from: startMs / 1_000, to: (endMs ?? scales.timeMs) / 1_000 }))
    .filter((_, index) => index % 2 === 0)
  return {
    data: { values },
    mark: { type: 'rect', color: 'var(--band)' },
    encoding: { x: timeAxis('from', scales), x2: { field: 'to' } },
  }
}

interface TimeAxis {
  readonly field: string
  readonly type: 'quantitative'
  readonly title: null
  readonly scale: { readonly domain: number[]; readonly nice: false }
  readonly axis: { readonly grid: false; readonly tickCount: number; readonly labelExpr: string }
}

function timeAxis(field: string, { timeMs }: Scales): TimeAxis {
  return {
    field,
    type: 'quantitative',
    title: null,
    scale: { domain: [0, timeMs / 1_000], nice: false },
    axis: { grid: false, tickCount: 6, labelExpr: "datum.value + ' s'" },
  }
}

interface LatencyAxis {
  readonly type: 'quantitative'
  readonly title: null
  readonly scale: { readonly type: 'log'; readonly domain: number[]; readonly nice: false }
  readonly axis: { readonly values: number[]; readonly labelExpr: string }
}

function latencyAxis({ latencyMs: [low, high] }: Scales): LatencyAxis {
  return {
    type: 'quantitative',
    title: null,
    scale: { type: 'log', domain: [low, high], nice: false },
    axis: {
      values: LATENCY_TICKS_MS.filter((tickMs) => tickMs <= high),
      labelExpr: "datum.value < 1000 ? datum.value + ' ms' : datum.value / 1000 + ' s'",
    },
  }
}
