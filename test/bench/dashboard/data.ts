// What a fleet sent to CloudWatch, as it is stored beside the picture that is drawn of it.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { gunzipSync, gzipSync } from 'node:zlib'

/** When, since the run began, and how often each value was measured. */
export type Point = readonly [atMs: number, values: readonly number[], counts: readonly number[]]

/** All data points of one metric with one set of dimensions. */
export interface StoredSeries {
  readonly metric: string
  readonly unit: string
  readonly dimensions: Readonly<Record<string, string>>
  readonly points: readonly Point[]
}

export interface StoredMetrics {
  readonly startedAt: string
  readonly about: string
  readonly durationMs: number
  readonly namespace: string
  /** Of the fleet that the dashboard is for. */
  readonly dimensions: Readonly<Record<'Fleet' | 'Engine' | 'Target', string>>
  readonly targetPressure: number
  readonly series: readonly StoredSeries[]
}

export const DATA_PATH = 'metrics/dashboard.json.gz'
export const PICTURE_PATH = 'metrics/dashboard.svg'

export function readMetrics(docs: URL): StoredMetrics {
  return JSON.parse(gunzipSync(readFileSync(new URL(DATA_PATH, docs))).toString()) as StoredMetrics
}

/** Four digits are more than a picture shows. */
export function writeMetrics(docs: URL, metrics: StoredMetrics): void {
  const text = JSON.stringify(metrics, (_, part: unknown) =>
    typeof part === 'number' && !Number.isInteger(part) ? Number(part.toPrecision(4)) : part,
  )
  mkdirSync(new URL('metrics/', docs), { recursive: true })
  writeFileSync(new URL(DATA_PATH, docs), gzipSync(`${text}\n`, { level: 9 }))
}
