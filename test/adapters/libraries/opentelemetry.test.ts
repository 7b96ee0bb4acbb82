// OpenTelemetry patches the drivers' prototypes; what it sees of a bare pool it sees of a governed one.
import { createRequire } from 'node:module'

import { createPool as createMysqlPool } from '@leasehold/mysql-adapter'
import { createPool as createPgPool } from '@leasehold/pg-adapter'
import { MySQL2Instrumentation } from '@opentelemetry/instrumentation-mysql2'
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import mysql2 from 'mysql2'
import pg from 'pg'
import { afterAll, describe, expect, it } from 'vitest'

import { eventually } from '../eventually.ts'
import { onEveryServer } from '../mysql/server.ts'
import { postgresUnderTest } from '../postgresql/server.ts'

const exporter = new InMemorySpanExporter()
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
const instrumentations = [new PgInstrumentation(), new MySQL2Instrumentation()]
for (const instrumentation of instrumentations) instrumentation.setTracerProvider(provider)

// The instrumentations patch what is required after them, be it loaded already.
const fromHere = createRequire(import.meta.url)
for (const [driver, part] of [
  ['pg', 'pg'],
  ['pg', 'pg-pool'],
  ['mysql2', './lib/connection.js'],
] as const) {
  createRequire(fromHere.resolve(driver))(part)
}

/** No housekeeping in between, so that the spans are those of the application alone. */
const QUIET = { lease: 'off' } as const

interface SpanSeen {
  readonly name: string
  readonly kind: number
  readonly parent: string | undefined
  readonly status: object
  readonly attributes: object
}

/** All that a span tells, but for times and numbers that no two spans have in common. */
function spans(): SpanSeen[] {
  const finished = exporter.getFinishedSpans()
  return finished.map(({ attributes, kind, name, parentSpanContext, status }) => ({
    name,
    kind,
    status,
    attributes,
    parent: finished.find((other) => other.spanContext().spanId === parentSpanContext?.spanId)?.name,
  }))
}

const names = (seen: readonly SpanSeen[]): string[] => seen.map(({ name }) => name)

/** What a pool's own metrics are after `use`, by the SDK that applications have. */
async function metricsOf(
  use: (meter: ReturnType<MeterProvider['getMeter']>) => Promise<() => Promise<unknown>>,
): Promise<Record<string, Point[]>> {
  // What is asked for no more is exported no more: cumulative metrics would go on with the last value.
  const metrics = new InMemoryMetricExporter(AggregationTemporality.DELTA)
  const reader = new PeriodicExportingMetricReader({ exporter: metrics, exportIntervalMillis: 600_000 })
  const meters = new MeterProvider({ readers: [reader] })
  const end = await use(meters.getMeter('test'))
  await meters.forceFlush()
  const found = metrics
    .getMetrics()
    .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics))
    .map(({ descriptor, dataPoints }): [string, Point[]] => [
      `${descriptor.name} ${descriptor.unit}`,
      dataPoints.map(({ attributes, value }) => ({
        state: attributes['db.client.connection.state'],
        pool: attributes['db.client.connection.pool.name'],
        value: typeof value === 'number' ? value : value.count,
      })),
    ])
  // The meter outlives the pool, and must not ask it any more.
  metrics.reset()
  await end()
  await eventually('the pool is asked no more', async () => {
    metrics.reset()
    await meters.forceFlush()
    const seen = metrics.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics)
    const points = seen
      .flatMap((scope) => scope.metrics)
      .filter(({ descriptor }) => !descriptor.name.endsWith('_time'))
    return points.every(({ dataPoints }) => dataPoints.length === 0)
  })
  await meters.shutdown()
  return Object.fromEntries(found)
}

interface Point {
  readonly state: unknown
  readonly pool: unknown
  readonly value: number
}

/** Two connections open, one of them in use, after two checkouts that have ended. */
function expectMetrics(found: Record<string, Point[]>, pool: string): void {
  const point = (value: number, state?: string): Point => ({ state, pool, value })
  expect(found).toEqual({
    'db.client.connection.create_time s': [point(2)],
    'db.client.connection.wait_time s': [point(2)],
    'db.client.connection.use_time s': [point(2)],
    'db.client.connection.count {connection}': [point(1, 'used'), point(1, 'idle')],
    'db.client.connection.max {connection}': [point(3)],
    'db.client.connection.pending_requests {request}': [point(0)],
  })
}

afterAll(() => {
  for (const instrumentation of instrumentations) instrumentation.disable()
})

describe('OpenTelemetry on PostgreSQL', () => {
  const under = postgresUnderTest()

  async function spansOf(pool: pg.Pool): Promise<SpanSeen[]> {
    exporter.reset()
    await pool.query('select 1')
    const client = await pool.connect()
    await client.query('select $1::int', [2])
    await client.query('select no_such_column').catch(() => undefined)
    client.release()
    await pool.end()
    return spans()
  }

  it('sees the same connects, checkouts and queries as of a bare pool', async () => {
    // A governed pool has no timer for that: the lease is there for it.
    const bare = await spansOf(new pg.Pool({ ...under.target, idleTimeoutMillis: 0 }))
    const governed = await spansOf(createPgPool({ ...under.target, ...QUIET }))
    expect(names(bare)).toEqual(
      expect.arrayContaining(['pg.connect', 'pg-pool.connect', 'pg.query:SELECT app']),
    )
    const failed = bare.find(({ status }) => 'message' in status)
    expect(failed?.status).toMatchObject({ message: 'column "no_such_column" does not exist' })
    expect(governed).toEqual(bare)
  })

  it('has the pool’s own metrics by the semantic conventions', async () => {
    const found = await metricsOf(async (meter) => {
      const pool = createPgPool({ ...under.target, ...QUIET, max: 3, meter })
      const clients = [await pool.connect(), await pool.connect()]
      for (const client of clients) client.release()
      const client = await pool.connect()
      return async () => {
        client.release()
        await pool.end()
      }
    })
    expectMetrics(found, `${under.target.host}:${under.target.port}/leasehold`)
  })
})

await onEveryServer((under) => {
  async function spansOf(pool: mysql2.Pool): Promise<SpanSeen[]> {
    exporter.reset()
    await pool.promise().query('select 1')
    const connection = await pool.promise().getConnection()
    await connection.execute('select ?', [2])
    await connection.query('select no_such_column').catch(() => undefined)
    connection.release()
    await pool.promise().end()
    return spans()
  }

  it('OpenTelemetry sees the same queries as of a bare pool', async () => {
    const bare = await spansOf(mysql2.createPool({ ...under.target }))
    const governed = await spansOf(createMysqlPool({ ...under.target, ...QUIET }))
    expect(names(bare)).toEqual(['select', 'select', 'select'])
    expect(bare.at(-1)?.status).toMatchObject({
      message: expect.stringContaining('no_such_column') as string,
    })
    expect(governed).toEqual(bare)
  })

  it('OpenTelemetry has the pool’s own metrics by the semantic conventions', async () => {
    const found = await metricsOf(async (meter) => {
      const pool = createMysqlPool({ ...under.target, ...QUIET, connectionLimit: 3, meter }).promise()
      const connections = [await pool.getConnection(), await pool.getConnection()]
      for (const connection of connections) connection.release()
      const connection = await pool.getConnection()
      return async () => {
        connection.release()
        await pool.end()
      }
    })
    expectMetrics(found, `${under.target.host}:${under.target.port}/leasehold`)
  })
})
