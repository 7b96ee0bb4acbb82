// Simulated runs over time: a panel for each world, a line for each policy.
import type { TopLevelSpec } from 'vega-lite'

import type { SimulatedRun } from './simulated.ts'
import { subjectOf } from './subjects.ts'
import { keyLayers, titleLayer } from './texts.ts'
import { CONFIG, INK, type Layer, type Layered, linear, type Panel } from './theme.ts'

const WIDTH = 355
const HEIGHT = 110
const AXIS_WIDTH = 62
const LEFT = -50
const TITLE_Y = -16
const KEY_Y = -40

export interface OverTime {
  readonly title: string
  readonly runs: readonly SimulatedRun[]
  readonly figure: (second: SimulatedRun['samples'][number]) => number
  /** A number's form, as d3-format has it. */
  readonly format: string
  /** A line across, and the scale's end. */
  readonly limit?: number
}

/** `panels`: two in a row; the colours are told above the first. */
export function simulationOverTime(panels: readonly OverTime[]): TopLevelSpec {
  const policies = new Set(panels.flatMap(({ runs }) => runs.map(({ policy }) => policy)))
  const key = keyLayers([...policies].map(subjectOf), LEFT, KEY_Y)
  return {
    config: CONFIG,
    padding: { left: 16, right: 18, top: 16, bottom: 14 },
    spacing: { row: 58, column: AXIS_WIDTH },
    bounds: 'flush',
    columns: 2,
    concat: panels.map(panel).map((each, index): Panel => {
      return index === 0 ? { ...each, layer: [...each.layer, ...key] } : each
    }),
  }
}

function panel({ title, runs, figure, format, limit }: OverTime): Layered {
  const lines = runs.map((run) => ({
    colour: subjectOf(run.policy).colour,
    values: run.samples.map((sample) => ({ s: sample.second, value: figure(sample) })),
  }))
  const all = lines.flatMap(({ values }) => values)
  const most = limit ?? all.reduce((greatest, { value }) => Math.max(greatest, value), 0)
  const x = {
    field: 's',
    type: 'quantitative',
    title: null,
    scale: linear(all.reduce((last, { s }) => Math.max(last, s), 1)),
    axis: { grid: false, tickCount: 5, labelExpr: "datum.value + ' s'" },
  } as const
  const y = {
    field: 'value',
    type: 'quantitative',
    title: null,
    scale: linear(most * 1.08),
    axis: { tickCount: 3, format },
  } as const
  const rule: Layer = {
    data: { values: limit === undefined ? [] : [{ value: limit }] },
    mark: { type: 'rule', color: INK.limit, strokeDash: [5, 3], strokeWidth: 1.2 },
    encoding: { y },
  }
  // The product last and finest: nothing is covered wholly.
  const drawn = lines.toReversed().map(({ colour, values }, index): Layer => {
    const strokeWidth = 1.6 + 1.6 * (lines.length - 1 - index)
    return {
      data: { values },
      mark: { type: 'line', color: colour, strokeWidth },
      encoding: { x, y },
    }
  })
  return { width: WIDTH, height: HEIGHT, layer: [rule, ...drawn, titleLayer(title, LEFT, TITLE_Y)] }
}
