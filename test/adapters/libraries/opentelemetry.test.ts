// OpenTelemetry patches the drivers' prototypes; what it sees of a bare pool it sees of a governed one.
import { createRequire } from 'node:module'

import { createPool as createMysqlPool } from '@leasehold/mysql-adapter'
import { createPool as createPgPool } from '@leasehold/pg-adapter'
import { MySQL2Instrumentation } from '@opentelemetry/instrumentation-mysql2'
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import mysql2 from 'mysql2'
import pg from 'pg'
import { afterAll, describe, expect, it } from 'vitest'

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

function spans(): string[] {
  return exporter.getFinishedSpans().map(({ name }) => name)
}

afterAll(() => {
  for (const instrumentation of instrumentations) instrumentation.disable()
})

describe('OpenTelemetry on PostgreSQL', () => {
  const under = postgresUnderTest()

  async function spansOf(pool: pg.Pool): Promise<string[]> {
    exporter.reset()
    await pool.query('select 1')
    const client = await pool.connect()
    await client.query('select 2')
    client.release()
    await pool.end()
    return spans()
  }

  it('sees the same connects, checkouts and queries as of a bare pool', async () => {
    const bare = await spansOf(new pg.Pool({ ...under.target }))
    const governed = await spansOf(createPgPool({ ...under.target, ...QUIET }))
    expect(bare).toContain('pg-pool.connect')
    expect(governed).toEqual(bare)
  })
})

await onEveryServer((under) => {
  async function spansOf(pool: mysql2.Pool): Promise<string[]> {
    exporter.reset()
    await pool.promise().query('select 1')
    const connection = await pool.promise().getConnection()
    await connection.execute('select 2')
    connection.release()
    await pool.promise().end()
    return spans()
  }

  it('OpenTelemetry sees the same queries as of a bare pool', async () => {
    const bare = await spansOf(mysql2.createPool({ ...under.target }))
    const governed = await spansOf(createMysqlPool({ ...under.target, ...QUIET }))
    expect(bare).toEqual(['select', 'select'])
    expect(governed).toEqual(bare)
  })
})
