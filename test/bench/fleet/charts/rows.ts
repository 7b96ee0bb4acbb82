// A table that is drawn: one row for each subject, one column for each figure, every bar with its number.
import type { TopLevelSpec } from 'vega-lite'

import { CONFIG, INK, LATENCY_AXIS, type Layer, linear, type Panel, SMALL_FONT_SIZE } from './theme.ts'
import { durationText } from './wording.ts'

/** Without a colour it is the heading of those below it. */
export interface Row {
  readonly key: string
  readonly label: string
  readonly colour?: string
}

export interface Bar {
  readonly key: string
  readonly colour: string
  readonly value: number
  readonly text: string
  /** The range of several runs. */
  readonly low?: number
  readonly high?: number
}

/** A latency each, in milliseconds; ascending. */
export interface Spread {
  readonly key: string
  readonly colour: string
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

const LABEL_WIDTH = 170
const LATENCY_TITLE = 'Latency: ● p50   ◆ p99   ○ slowest'

export interface RowsChart {
  readonly rows: readonly Row[]
  readonly rowHeight: number
  readonly columns: readonly Panel[]
}

export function rowsChart({ rows, rowHeight, columns }: RowsChart): TopLevelSpec {
  return {
    config: CONFIG,
    padding: { left: 18, right: 18, top: 16, bottom: 14 },
    bounds: 'flush',
    spacing: 22,
    hconcat: [labels(rows, rowHeight), ...columns],
  }
}

const heightOf = (rows: readonly Row[], rowHeight: number): number => rows.length * rowHeight

function rowAxis(rows: readonly Row[]) {
  const domain = rows.map(({ key }) => key)
  return {
    field: 'key',
    type: 'nominal',
    scale: { type: 'band', domain, paddingInner: 0.35, paddingOuter: 0.2 },
    bandPosition: 0.5,
    axis: null,
  } as const
}

function labels(rows: readonly Row[], rowHeight: number): Panel {
  const y = rowAxis(rows)
  const isHeading = ({ colour }: Row): boolean => colour === undefined
  return {
    width: LABEL_WIDTH,
    height: heightOf(rows, rowHeight),
    layer: [
      {
        data: { values: rows.filter((row) => !isHeading(row)) },
        layer: [
          {
            mark: { type: 'square', x: 6, size: 120, opacity: 1 },
            encoding: { y, color: { field: 'colour', type: 'nominal', scale: null } },
          },
          {
            mark: { type: 'text', x: 18, align: 'left', fontSize: SMALL_FONT_SIZE },
            encoding: { y, text: { field: 'label' } },
          },
        ],
      },
      {
        data: { values: rows.filter(isHeading) },
        mark: { type: 'text', x: 0, align: 'left', fontWeight: 600, fontSize: SMALL_FONT_SIZE },
        encoding: { y, text: { field: 'label' } },
      },
    ],
  }
}

export interface ColumnSize {
  readonly title: string
  readonly width: number
  readonly rows: readonly Row[]
  readonly rowHeight: number
}

type UntitledSize = Omit<ColumnSize, 'title'>

/** Bars from zero, with a number at the end of each and a line for the range of several runs. */
export function barColumn(size: ColumnSize, bars: readonly Bar[], most: number): Panel {
  const y = rowAxis(size.rows)
  const x = { type: 'quantitative', scale: linear(most), axis: null } as const
  const color = { field: 'colour', type: 'nominal', scale: null } as const
  const ranges = bars.filter(({ low, high }) => low !== undefined && high !== undefined && high > low)
  const ends = bars.map((bar) => ({ ...bar, end: Math.max(bar.value, bar.high ?? 0) }))
  return column(size, [
    {
      data: { values: bars },
      mark: { type: 'bar', opacity: 1, cornerRadiusEnd: 2, minBandSize: 2 },
      encoding: { y: rowAxis(size.rows), x: { ...x, field: 'value' }, color },
    },
    {
      data: { values: ranges },
      mark: { type: 'rule', color: INK.text, strokeWidth: 1.5 },
      encoding: { y, x: { ...x, field: 'low' }, x2: { field: 'high' } },
    },
    {
      data: { values: ends },
      mark: { type: 'text', align: 'left', dx: 6, fontSize: SMALL_FONT_SIZE },
      encoding: { y, x: { ...x, field: 'end' }, text: { field: 'text' } },
    },
  ])
}

/** From the median to the slowest on a logarithmic scale; the number is the 99th percentile's. */
export function latencyColumn(
  size: UntitledSize,
  spreads: readonly Spread[],
  silent: readonly string[],
): Panel {
  const y = rowAxis(size.rows)
  const all = spreads.flatMap(({ p50Ms, maxMs }) => [p50Ms, maxMs])
  const domain: number[] = [Math.min(10, ...all), Math.max(1_000, ...all) * 1.15]
  const x = {
    type: 'quantitative',
    title: null,
    scale: { type: 'log', domain, nice: false },
    axis: LATENCY_AXIS,
  } as const
  const color = { field: 'colour', type: 'nominal', scale: null } as const
  const labelled = spreads.map((spread) => ({ ...spread, text: durationText(spread.p99Ms) }))
  const at = (field: keyof Spread) => ({ y, x: { ...x, field }, color })
  return column({ ...size, title: LATENCY_TITLE }, [
    {
      data: { values: labelled },
      layer: [
        {
          mark: { type: 'rule', strokeWidth: 2, opacity: 0.45 },
          encoding: { ...at('p50Ms'), x2: { field: 'maxMs' } },
        },
        {
          mark: { type: 'rule', strokeWidth: 6, opacity: 0.45 },
          encoding: { ...at('p50Ms'), x2: { field: 'p95Ms' } },
        },
        { mark: { type: 'circle', size: 90, opacity: 1 }, encoding: at('p50Ms') },
        {
          mark: { type: 'point', shape: 'diamond', filled: true, size: 110, opacity: 1 },
          encoding: at('p99Ms'),
        },
        {
          mark: { type: 'point', size: 55, filled: true, fill: '#ffffff', strokeWidth: 2, opacity: 1 },
          encoding: { y, x: { ...x, field: 'maxMs' }, stroke: color },
        },
        {
          mark: { type: 'text', dy: -13, fontSize: SMALL_FONT_SIZE },
          encoding: { y, x: { ...x, field: 'p99Ms' }, text: { field: 'text' } },
        },
      ],
    },
    {
      data: { values: silent.map((key) => ({ key, text: 'no answer' })) },
      mark: { type: 'text', x: 4, align: 'left', fontSize: SMALL_FONT_SIZE, color: INK.faint },
      encoding: { y, text: { field: 'text' } },
    },
  ])
}

function column({ title, width, rows, rowHeight }: ColumnSize, layer: readonly Layer[]): Panel {
  return { title, width, height: heightOf(rows, rowHeight), layer: [...layer] }
}
