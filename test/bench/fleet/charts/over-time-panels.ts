// The three panels of a run over time.
import type { FleetRun } from '../result.ts'
import {
  INK,
  LATENCY_AXIS,
  type Layer,
  type Layered,
  linear,
  type LinearScale,
  SMALL_FONT_SIZE,
} from './theme.ts'

const HEIGHT = 84

/** What all panels of a chart share. */
export interface Scales {
  readonly width: number
  readonly lastMs: number
  /** Of `answeredPerS` and `offered.perS`. */
  readonly bucketMs: number
  readonly mostSessions: number
  readonly mostPerS: number
  readonly latencyMs: number[]
}

/** Against the slots; for a governed fleet against the headroom too. */
export function sessionsPanel(run: FleetRun, colour: string, scales: Scales): Layered {
  const { slots, headroomLimit, samples } = run.sessions
  const y = countAxis('count', scales.mostSessions)
  const limits = [{ count: slots, text: `${slots} slots` }]
  return panel(run, scales, [
    {
      data: { values: changesOf(samples).map(({ atMs, total }) => ({ s: atMs / 1_000, count: total })) },
      mark: {
        type: 'area',
        interpolate: 'step-after',
        color: colour,
        opacity: 0.2,
        line: { color: colour, strokeWidth: 1.5, opacity: 1 },
      },
      encoding: { x: timeAxis(scales), y },
    },
    {
      data: {
        values: headroomLimit === undefined || headroomLimit >= slots ? [] : [{ count: headroomLimit }],
      },
      mark: { type: 'rule', color: INK.faint, strokeDash: [1, 3], strokeWidth: 1.2 },
      encoding: { y },
    },
    {
      data: { values: limits },
      layer: [
        { mark: { type: 'rule', color: INK.limit, strokeDash: [5, 3], strokeWidth: 1.2 }, encoding: { y } },
        {
          mark: { type: 'text', align: 'right', x: 'width', dy: -7, fontSize: SMALL_FONT_SIZE },
          encoding: { y, text: { field: 'text' } },
        },
      ],
    },
  ])
}

/** What was answered, and under open load what was sent. */
export function ratePanel(run: FleetRun, colour: string, scales: Scales): Layered {
  const y = countAxis('perS', scales.mostPerS)
  const points = (perS: readonly number[]): { s: number; perS: number }[] =>
    perS.map((value, index) => ({ s: (index * scales.bucketMs) / 1_000, perS: value }))
  return panel(run, scales, [
    {
      data: { values: points(run.offered?.perS ?? []) },
      mark: {
        type: 'line',
        interpolate: 'step-after',
        color: INK.faint,
        strokeDash: [4, 3],
        strokeWidth: 1.2,
      },
      encoding: { x: timeAxis(scales), y },
    },
    {
      data: { values: points(run.answeredPerS) },
      mark: { type: 'line', interpolate: 'step-after', color: colour, strokeWidth: 1.6 },
      encoding: { x: timeAxis(scales), y },
    },
  ])
}

export function latencyPanel(run: FleetRun, colour: string, scales: Scales): Layered {
  const present = run.latencyOverTime.filter(({ p50 }) => p50 > 0)
  const axis = { field: 'ms', type: 'quantitative', title: null, axis: LATENCY_AXIS } as const
  const y = { ...axis, scale: { type: 'log', domain: scales.latencyMs, nice: false } } as const
  const line = (values: readonly { s: number; ms: number }[], strokeWidth: number): Layer => ({
    data: { values: [...values] },
    mark: { type: 'line', color: colour, strokeWidth },
    encoding: { x: timeAxis(scales), y },
  })
  return panel(run, scales, [
    line(
      present.map(({ atMs, p50 }) => ({ s: atMs / 1_000, ms: p50 })),
      1,
    ),
    line(
      present.map(({ atMs, p99 }) => ({ s: atMs / 1_000, ms: p99 })),
      2.4,
    ),
  ])
}

/** With a mark where a part of the scenario begins. */
function panel({ parts }: FleetRun, scales: Scales, layers: readonly Layer[]): Layered {
  const begins = new Set(Object.values(parts ?? {}).map(({ fromMs }) => fromMs))
  const values = [...begins].filter((fromMs) => fromMs > 0).map((fromMs) => ({ s: fromMs / 1_000 }))
  return {
    width: scales.width,
    height: HEIGHT,
    layer: [
      {
        data: { values },
        mark: { type: 'rule', color: INK.faint, strokeWidth: 0.8, opacity: 0.6 },
        encoding: { x: timeAxis(scales) },
      },
      ...layers,
    ],
  }
}

/** The first and the last of samples that are equal: a step needs no more. */
function changesOf(samples: FleetRun['sessions']['samples']): FleetRun['sessions']['samples'] {
  return samples.filter(
    ({ total }, index) => total !== samples[index - 1]?.total || index === samples.length - 1,
  )
}

interface TimeAxis {
  readonly field: 's'
  readonly type: 'quantitative'
  readonly title: null
  readonly scale: LinearScale
  readonly axis: { readonly grid: false; readonly tickCount: number; readonly labelExpr: string }
}

function timeAxis({ lastMs }: Scales): TimeAxis {
  return {
    field: 's',
    type: 'quantitative',
    title: null,
    scale: linear(lastMs / 1_000),
    axis: { grid: false, tickCount: 4, labelExpr: "datum.value + ' s'" },
  }
}

interface CountAxis {
  readonly field: string
  readonly type: 'quantitative'
  readonly title: null
  readonly scale: LinearScale
  readonly axis: { readonly tickCount: number; readonly format: string }
}

function countAxis(field: string, most: number): CountAxis {
  return {
    field,
    type: 'quantitative',
    title: null,
    scale: linear(most),
    axis: { tickCount: 3, format: ',d' },
  }
}
