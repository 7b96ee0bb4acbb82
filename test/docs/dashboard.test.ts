// The picture of the dashboard is what its own definition makes of the metrics that are stored beside it.
import { readFileSync } from 'node:fs'

import { type MetricField, METRICS } from '@leasehold/core'
import { describe, expect, it } from 'vitest'

import { DATA_PATH, PICTURE_PATH, readMetrics, type StoredMetrics } from '../bench/dashboard/data.ts'
import { drawDashboard, recordedBody, SPEED } from '../bench/dashboard/picture.ts'
import { statisticOf } from '../bench/dashboard/statistic.ts'
import { boardOf, type DashboardBody } from '../bench/dashboard/widgets.ts'

const DOCS = new URL('../../docs/', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, DOCS), 'utf8')
const metrics = readMetrics(DOCS)
const body = recordedBody(metrics)

type Changed = DashboardBody['widgets'][number]['properties']

/** The definition with something else in its first widget. */
function withFirst(change: (properties: Changed) => Partial<Changed>): DashboardBody {
  const [first, ...others] = body.widgets
  if (first === undefined) throw new Error('there are no widgets')
  return {
    widgets: [{ ...first, properties: { ...first.properties, ...change(first.properties) } }, ...others],
  }
}

describe('the picture of the dashboard', () => {
  it('is that of the stored metrics (otherwise: pnpm bench:dashboard:picture)', async () => {
    expect(await drawDashboard(metrics)).toBe(read(PICTURE_PATH))
  }, 30_000)

  it('stands in the docs, with its data', () => {
    const page = read('metrics.md')
    for (const path of [PICTURE_PATH, DATA_PATH]) expect(page).toContain(`](${path})`)
  })

  it.each<[string, (properties: Changed) => Partial<Changed>]>([
    [
      'statistic',
      ({ metrics: lines }) => ({
        metrics: lines.map((line) => [...line.slice(0, -1), { stat: 'Minimum', label: 'highest' }]),
      }),
    ],
    ['period', ({ period }) => ({ period: 5 * period })],
    ['level', () => ({ annotations: { horizontal: [{ label: 'target', value: 40 }] } })],
    ['title', () => ({ title: 'Another' })],
  ])(
    'is another where a widget has another %s',
    async (_what, change) => {
      expect(await drawDashboard(metrics, withFirst(change))).not.toBe(read(PICTURE_PATH))
    },
    30_000,
  )

  it('cannot be drawn of what nobody taught it to draw', async () => {
    const unknown = [{ expression: 'METRICS() / 2', id: 'half', label: 'half' }]
    await expect(
      drawDashboard(
        metrics,
        withFirst(() => ({ metrics: [unknown] })),
      ),
    ).rejects.toThrow('cannot draw METRICS() / 2')
    await expect(
      drawDashboard(
        metrics,
        withFirst(() => ({ view: 'pie' })),
      ),
    ).rejects.toThrow('no metric pie')
  })

  it('shows a fleet under pressure, in all charts but those for which nothing happened', () => {
    const { columns, widgets } = boardOf(body, metrics, SPEED)
    expect(columns).toBe(3)
    const withData = widgets.filter(({ lines }) =>
      lines.some(({ values }) => values.some((value) => value !== undefined)),
    )
    expect(widgets.length - withData.length).toBeLessThanOrEqual(1)
    const sessions = widgets.find(({ title }) => title === 'Sessions by fleet')
    expect(sessions?.lines.map(({ label }) => label).toSorted()).toEqual(['reports', 'shop'])
  })
})

describe('the stored metrics', () => {
  it('are of the list, in its units', () => {
    for (const { metric, unit } of metrics.series) {
      const field: MetricField | undefined = METRICS[metric as keyof typeof METRICS]
      expect(field?.unit, metric).toBe(unit)
    }
  })

  it('name nobody but the fleet, the engine and the server', () => {
    for (const { dimensions } of metrics.series) {
      expect(Object.keys(dimensions).toSorted()).toEqual(['Engine', 'Fleet', 'Target'])
    }
  })
})

describe('a line of a widget', () => {
  const dimensions = { Fleet: 'shop', Engine: 'postgresql', Target: 'db:5432' }
  const points = (...of: [number, number[], number[]][]): StoredMetrics => ({
    ...metrics,
    durationMs: 6_000,
    dimensions,
    namespace: 'Shop',
    series: [{ metric: 'Pressure', unit: 'Percent', dimensions, points: of }],
  })

  it('has the highest and the mean of all measurements of each period, and nothing where there are none', () => {
    const stored = points([0, [10, 20], [1, 3]], [2_900, [40], [1]], [5_000, [7], [2]])
    const [pressure] = boardOf(recordedBody(stored), { ...stored, durationMs: 9_000 }, SPEED).widgets
    expect(pressure?.lines).toEqual([
      { label: 'highest', values: [40, 7, undefined] },
      { label: 'average', values: [22, 7, undefined] },
    ])
    expect(pressure?.levels).toEqual([{ label: 'target', value: 80 }])
  })

  it.each([
    ['Sum', 310],
    ['SampleCount', 100],
    ['Average', 3.1],
    ['Minimum', 1],
    ['Maximum', 200],
    ['p50', 1],
    ['p99', 11],
    ['p99.5', 200],
  ])('of %s is what CloudWatch would say', (statistic, expected) => {
    const samples = [
      { value: 200, count: 1 },
      { value: 11, count: 1 },
      { value: 1, count: 97 },
      { value: 2, count: 1 },
    ]
    expect(statisticOf(statistic, samples)).toBeCloseTo(expected, 9)
    expect(() => statisticOf('TM99', samples)).toThrow('no statistic is called TM99')
  })
})
