// One widget: its lines or stacked areas, the level it is compared with, and what is what below.
import {
  CARD,
  FONT_SIZE,
  INK,
  type Layer,
  type Layered,
  linear,
  SMALL_FONT_SIZE,
} from '../fleet/charts/theme.ts'
import type { Widget } from './widgets.ts'

const HEIGHT = 104
/** Where the texts above a panel are, from its upper left corner. */
const EDGE = -40
const TITLE_Y = -30
const SUBTITLE_Y = -14
/** And the key below it. */
const KEY_Y = HEIGHT + 34
const KEY_LINE = 17
const KEY_GAP = 12
const SQUARE = 14
/** Of a character of the key: a guess, for nobody measures text here. */
const CHARACTER = 6.1

/** Okabe and Ito's, told apart by the colour-blind. */
const COLOURS = ['#0072b2', '#e69f00', '#009e73', '#d55e00', '#cc79a7', '#56b4e9']

interface Row {
  readonly s: number
  readonly label: string
  readonly value: number | null
}

export function panelOf(widget: Widget, width: number, durationMs: number): Layered {
  const { lines, levels, least, isStacked } = widget
  const rows = lines.flatMap(({ label, values }) => rowsOf(label, values, widget))
  const most = Math.max(mostOf(widget), ...levels.map(({ value }) => 1.12 * value))
  const scale = { domainMin: least, domainMax: most > least ? most : least + 1, nice: 3 }
  const x = {
    field: 's',
    type: 'quantitative',
    title: null,
    scale: linear(durationMs / 1_000),
    axis: { grid: false, tickCount: 4, labelExpr: "datum.value + ' s'" },
  } as const
  const y = {
    field: 'value',
    type: 'quantitative',
    title: null,
    scale,
    axis: { tickCount: 3, format: ',~r' },
  } as const
  const colour = {
    field: 'label',
    type: 'nominal',
    legend: null,
    scale: { domain: lines.map(({ label }) => label), range: [...COLOURS] },
  } as const
  return {
    width,
    height: HEIGHT,
    layer: [
      isStacked
        ? {
            data: { values: rows },
            mark: { type: 'area', opacity: 0.85 },
            encoding: {
              x,
              y: { ...y, stack: 'zero' },
              color: colour,
              order: { field: 'place', type: 'ordinal' },
            },
          }
        : {
            data: { values: rows },
            mark: { type: 'line', strokeWidth: 1.6, invalid: 'break-paths-show-path-domains' },
            encoding: { x, y, color: colour },
          },
      {
        data: { values: isStacked ? [] : rows.filter((row) => isAlone(row, rows, widget)) },
        mark: { type: 'point', filled: true, size: 16, opacity: 1 },
        encoding: { x, y, color: colour },
      },
      ...levels.flatMap(({ label, value }): Layer[] => [
        {
          data: { values: [{ value }] },
          mark: { type: 'rule', color: INK.limit, strokeDash: [5, 3], strokeWidth: 1.2 },
          encoding: { y },
        },
        levelText({ value, label }, y, { stroke: CARD.ground, strokeWidth: 4 }),
        levelText({ value, label }, y, {}),
      ]),
      ...textsOf(widget),
      ...keyOf(widget, width),
    ],
  }
}

function levelText(level: { value: number; label: string }, y: object, halo: object): Layer {
  return {
    data: { values: [level] },
    mark: { type: 'text', align: 'right', x: 'width', dy: 9, fontSize: SMALL_FONT_SIZE, ...halo },
    encoding: { y, text: { field: 'label' } },
  }
}

/** A point stands in the middle of its period. A count that stayed 0 is not sent: what is stacked goes on without it. */
function rowsOf(
  label: string,
  values: readonly (number | undefined)[],
  { isStacked, lines, periodMs }: Widget,
): readonly (Row & { readonly place: number })[] {
  const place = lines.findIndex((line) => line.label === label)
  return values.map((value, index) => ({
    s: ((index + 0.5) * periodMs) / 1_000,
    label,
    value: value ?? (isStacked ? 0 : null),
    place,
  }))
}

/** A line of one point is none. */
function isAlone(row: Row, rows: readonly Row[], { periodMs }: Widget): boolean {
  if (row.value === null) return false
  const beside = (other: Row): boolean =>
    other.label === row.label &&
    other.value !== null &&
    other !== row &&
    Math.abs(other.s - row.s) < (1.5 * periodMs) / 1_000
  return !rows.some(beside)
}

function mostOf({ isStacked, lines }: Widget): number {
  const periods = lines[0]?.values.map((_, index) => lines.map(({ values }) => values[index] ?? 0)) ?? []
  const sums = periods.map((values) =>
    isStacked ? values.reduce((sum, value) => sum + value, 0) : Math.max(...values),
  )
  return sums.reduce((most, value) => Math.max(most, value), 0)
}

/** What stands before a colon is the title, what stands behind it explains; then the unit. */
function textsOf({ lines, title, unit }: Widget): readonly Layer[] {
  const [head = '', more = ''] = title.split(': ')
  // Some say it themselves.
  const subtitle = more.includes(unit) ? more : [more, unit].filter((part) => part !== '').join(', ')
  const isEmpty = lines.every(({ values }) => values.every((value) => value === undefined))
  const text = (values: string, y: number, mark: object): Layer => ({
    data: { values: [{ text: values }] },
    mark: { type: 'text', x: EDGE, y, align: 'left', fontSize: SMALL_FONT_SIZE, color: INK.faint, ...mark },
    encoding: { text: { field: 'text' } },
  })
  return [
    text(head, TITLE_Y, { fontSize: FONT_SIZE, fontWeight: 600, color: INK.text }),
    text(subtitle, SUBTITLE_Y, {}),
    ...(isEmpty ? [text('no data', HEIGHT / 2, { x: 'width', align: 'right' })] : []),
  ]
}

/** Squares with names beside them, as many in a line as there is room for. */
function keyOf({ lines }: Widget, width: number): readonly Layer[] {
  let x = EDGE
  let y = KEY_Y
  return lines.flatMap(({ label, values }, index): Layer[] => {
    const taken = SQUARE + CHARACTER * label.length
    if (x > EDGE && x + taken > width) {
      x = EDGE
      y += KEY_LINE
    }
    const at = x
    x += taken + KEY_GAP
    const isEmpty = values.every((value) => value === undefined)
    const colour = COLOURS[index % COLOURS.length] ?? INK.text
    return [
      {
        data: { values: [{}] },
        mark: {
          type: 'square',
          x: at + 4,
          y,
          size: 70,
          opacity: 1,
          ...(isEmpty ? { filled: false, stroke: INK.faint, strokeWidth: 1 } : { color: colour }),
        },
        encoding: {},
      },
      {
        data: { values: [{ label }] },
        mark: {
          type: 'text',
          x: at + SQUARE,
          y,
          align: 'left',
          fontSize: 11.5,
          color: isEmpty ? INK.faint : INK.text,
        },
        encoding: { text: { field: 'label' } },
      },
    ]
  })
}
