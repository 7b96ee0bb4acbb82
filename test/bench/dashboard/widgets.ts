// A dashboard's own definition, read as CloudWatch reads it: which metrics, statistics and periods make which lines.
import type { StoredMetrics, StoredSeries } from './data.ts'
import { type Sample, statisticOf } from './statistic.ts'

/** As much of CloudWatch's JSON as the dashboard has. */
export interface DashboardBody {
  readonly widgets: readonly {
    readonly type: string
    readonly x: number
    readonly y: number
    readonly width: number
    readonly properties: {
      readonly title: string
      readonly view: string
      readonly stacked: boolean
      readonly period: number
      readonly metrics: readonly (readonly unknown[])[]
      readonly yAxis: { readonly left: { readonly min: number; readonly label: string } }
      readonly annotations?: {
        readonly horizontal: readonly { readonly label: string; readonly value: number }[]
      }
    }
  }[]
}

export interface DrawnLine {
  readonly label: string
  /** By period, from the beginning; undefined where there is no data. */
  readonly values: readonly (number | undefined)[]
}

export interface Widget {
  readonly title: string
  readonly unit: string
  readonly least: number
  readonly isStacked: boolean
  readonly periodMs: number
  readonly lines: readonly DrawnLine[]
  readonly levels: readonly { readonly label: string; readonly value: number }[]
}

/** In the order in which they stand on the dashboard, and how many stand side by side. */
export interface Board {
  readonly columns: number
  readonly widgets: readonly Widget[]
}

/**
 * @param speed by how much faster the story is told than a dashboard would show it: periods are that much shorter
 */
export function boardOf({ widgets }: DashboardBody, metrics: StoredMetrics, speed: number): Board {
  const placed = widgets.toSorted((left, right) => left.y - right.y || left.x - right.x)
  if (new Set(placed.map(({ width }) => width)).size > 1) throw new TypeError('widgets differ in width')
  return {
    columns: placed.filter(({ y }) => y === placed[0]?.y).length,
    widgets: placed.map(({ type, properties }) => {
      const { title, view, stacked, period, yAxis, annotations } = properties
      if (type !== 'metric' || view !== 'timeSeries') throw new TypeError(`${title}: no ${type} ${view} here`)
      return {
        title,
        unit: yAxis.left.label,
        least: yAxis.left.min,
        isStacked: stacked,
        periodMs: (1_000 * period) / speed,
        lines: properties.metrics.flatMap((line) => linesOf(line, period, metrics, speed)),
        levels: annotations?.horizontal ?? [],
      }
    }),
  }
}

interface Look {
  readonly expression?: string
  readonly label?: string
  readonly stat?: string
}

/** A metric, its dimensions, how to look at it; or an expression alone. */
function linesOf(
  line: readonly unknown[],
  period: number,
  metrics: StoredMetrics,
  speed: number,
): readonly DrawnLine[] {
  const look = line.at(-1) as Look
  if (look.expression !== undefined) return searched(look.expression, look.label ?? '', metrics, speed)
  const [namespace, metric, ...more] = line.slice(0, -1) as string[]
  const dimensions: Record<string, string> = {}
  for (let at = 0; at < more.length; at += 2) dimensions[more[at] ?? ''] = more[at + 1] ?? ''
  const found = metrics.series.filter(
    (series) =>
      namespace === metrics.namespace && series.metric === metric && isSame(series.dimensions, dimensions),
  )
  const values = valuesOf(found, look.stat ?? 'Average', (1_000 * period) / speed, metrics.durationMs)
  return [{ label: look.label ?? metric ?? '', values }]
}

function isSame(left: Readonly<Record<string, string>>, right: Readonly<Record<string, string>>): boolean {
  return (
    Object.keys(left).length === Object.keys(right).length &&
    Object.entries(left).every(([name, value]) => right[name] === value)
  )
}

/** `SEARCH('{namespace,dimension,…} name="value" …', 'statistic', period)`: a line for each metric that fits. */
const SEARCH = /^SEARCH\('\{("?[^"{}]+?"?)((?:,\w+)*)\} (.+)', '(\w+)', (\d+)\)$/
const TERM = /(\w+)="([^"]*)"/g
const PROPERTY = /^\$\{PROP\('Dim\.(\w+)'\)\}$/

function searched(
  expression: string,
  label: string,
  metrics: StoredMetrics,
  speed: number,
): readonly DrawnLine[] {
  const [all, quoted = '', names = '', terms = '', statistic = '', period = ''] =
    SEARCH.exec(expression) ?? []
  const [, named] = PROPERTY.exec(label) ?? []
  if (all === undefined || named === undefined) throw new TypeError(`cannot draw ${expression} as ${label}`)
  const wanted = [...terms.matchAll(TERM)].map(([, name = '', value = '']) => [name, value] as const)
  const fits = ({ metric, dimensions }: StoredSeries): boolean =>
    quoted.replaceAll('"', '') === metrics.namespace &&
    Object.keys(dimensions).toSorted().join(',') === names.slice(1).split(',').toSorted().join(',') &&
    wanted.every(([name, value]) => (name === 'MetricName' ? metric : dimensions[name]) === value)
  const groups = Map.groupBy(metrics.series.filter(fits), ({ dimensions }) => dimensions[named] ?? '')
  return [...groups].map(([of, series]) => ({
    label: of,
    values: valuesOf(series, statistic, (1_000 * Number(period)) / speed, metrics.durationMs),
  }))
}

function valuesOf(
  all: readonly StoredSeries[],
  statistic: string,
  periodMs: number,
  durationMs: number,
): readonly (number | undefined)[] {
  const periods: Sample[][] = Array.from({ length: Math.ceil(durationMs / periodMs) }, () => [])
  for (const [atMs, values, counts] of all.flatMap(({ points }) => points)) {
    const samples = periods[Math.floor(atMs / periodMs)]
    for (const [place, value] of values.entries()) samples?.push({ value, count: counts[place] ?? 0 })
  }
  return periods.map((samples) => (samples.length === 0 ? undefined : statisticOf(statistic, samples)))
}
