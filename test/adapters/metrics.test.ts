// What a pool measures of real servers: where the time of a connect goes, what a census finds, what a request waits.
import type { MetricDimensions, MetricsSink } from '@leasehold/core'
import { createPool as createMysqlPool } from '@leasehold/mysql-adapter'
import { createPool as createPgPool } from '@leasehold/pg-adapter'
import {
  type Authority,
  createAuthority,
  type DatabaseServer,
  startMariadb,
  startPostgres,
} from '@leasehold/test-databases'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { eventually } from './eventually.ts'

class ListeningSink implements MetricsSink {
  readonly everyMs = 900_000
  readonly recorded: [name: string, value: number][] = []
  of: MetricDimensions | undefined

  record(name: string, value: number, count: number, of: MetricDimensions): void {
    for (let time = 0; time < count; time += 1) this.recorded.push([name, value])
    this.of = of
  }

  async flush(): Promise<undefined> {}

  values(name: string): number[] {
    return this.recorded.flatMap(([of, value]) => (of === name ? [value] : []))
  }
}

interface Open {
  query(): Promise<unknown>
  ambiguousCount(): number
  /** Takes the one connection, and gives it back when the result is called. */
  hold(): Promise<() => void>
  end(): Promise<unknown>
}

interface Asked {
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user: string
  readonly password: string
  readonly ssl: object
  readonly metrics: MetricsSink
}

const ENGINES = {
  postgresql: {
    start: startPostgres,
    open: (asked: Asked): Open => {
      const pool = createPgPool({ ...asked, max: 1 })
      return {
        query: () => pool.query('select 1'),
        ambiguousCount: () => pool.leasehold.stats().ambiguous,
        hold: async () => {
          const client = await pool.connect()
          return () => client.release()
        },
        end: () => pool.end(),
      }
    },
    phases: ['ConnectNetworkTime', 'ConnectTlsTime', 'ConnectLoginTime'],
  },
  mariadb: {
    start: startMariadb,
    open: (asked: Asked): Open => {
      const governed = createMysqlPool({ ...asked, connectionLimit: 1 })
      const pool = governed.promise()
      return {
        query: () => pool.query('select 1'),
        ambiguousCount: () => governed.leasehold.stats().ambiguous,
        hold: async () => {
          const connection = await pool.getConnection()
          return () => connection.release()
        },
        end: () => pool.end(),
      }
    },
    phases: ['ConnectNetworkTime', 'ConnectTlsTime', 'ConnectLoginTime', 'ConnectCensusTime'],
  },
} as const

describe.each(Object.entries(ENGINES))('metrics of a pool on %s', (engine, { start, open, phases }) => {
  let authority: Authority
  let server: DatabaseServer
  beforeAll(async () => {
    authority = await createAuthority()
    server = await start({ tls: await authority.issue() })
  })
  afterAll(async () => {
    await (server as DatabaseServer | undefined)?.dispose()
  })

  const pooled = (): { pool: Open; sink: ListeningSink } => {
    const { port, database, login } = server
    const sink = new ListeningSink()
    const ssl = { ca: authority.ca, verifyIdentity: true }
    return { sink, pool: open({ host: 'localhost', port, database, ...login, ssl, metrics: sink }) }
  }

  it('say where the time of a connect went', async () => {
    const { pool, sink } = pooled()
    await pool.query()
    await pool.end()
    const [connectMs = 0] = sink.values('ConnectTime')
    let sumMs = 0
    for (const phase of phases) {
      const [phaseMs = 0] = sink.values(phase)
      expect(phaseMs, phase).toBeGreaterThan(0)
      sumMs += phaseMs
    }
    // Each is read from two clocks, one of which counts whole milliseconds.
    expect(sumMs).toBeLessThanOrEqual(connectMs + phases.length)
    expect(sink.values('ColdStartTime')).toHaveLength(1)
    expect(sink.of).toEqual({ Fleet: 'leasehold', Engine: engine, Target: `localhost:${server.port}` })
  })

  it('say what a census found', async () => {
    const { pool, sink } = pooled()
    await pool.query()
    await eventually('a census was taken', async () => sink.values('SlotsUsed').length > 0)
    await pool.end()
    expect(sink.values('SlotsUsed')[0]).toBeGreaterThan(0)
    expect(sink.values('Pressure')[0]).toBeGreaterThan(0)
    expect(sink.values('CensusTime')[0]).toBeGreaterThan(0)
  })

  it('say how long a request waited for a busy pool', async () => {
    const { pool, sink } = pooled()
    const giveBack = await pool.hold()
    const waiting = pool.query()
    setTimeout(giveBack, 120)
    await waiting
    await pool.end()
    expect(sink.values('PoolWaitTime')).toHaveLength(1)
    expect(sink.values('PoolWaitTime')[0]).toBeGreaterThan(110)
  })

  it('count no loss of an idle connection as one of which nobody knows what it did', async () => {
    const { pool, sink } = pooled()
    await pool.query()
    await eventually('a census was taken', async () => sink.values('CensusTime').length > 0)
    for (const { id } of await server.sessions()) await server.terminate(id)
    await eventually('no session is left', async () => (await server.sessions()).length === 0)
    await pool.query()
    expect(pool.ambiguousCount()).toBe(0)
    await pool.end()
  })

  it('leave no request out', async () => {
    const { pool, sink } = pooled()
    for (let request = 0; request < 10; request += 1) await pool.query()
    await pool.end()
    const acquired = sink.values('AcquireTime')
    expect(acquired).toHaveLength(10)
    expect(acquired.filter((waitedMs) => waitedMs === 0)).toHaveLength(9)
  })
})
