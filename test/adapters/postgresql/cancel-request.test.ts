// The request that stops a statement: which server it reaches, by which way, and what if it does not.
import dns from 'node:dns'
import { connect as connectTo, createServer } from 'node:net'

import { failureDetails, type GovernedPool, type PoolOptions } from '@leasehold/pg-adapter'
import {
  createAuthority,
  type Pgbouncer,
  startPgbouncer,
  startPostgres,
  startRelay,
} from '@leasehold/test-databases'
import type pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'

import { eventually, rejection } from '../eventually.ts'
import { quietLog } from '../quiet-log.ts'
import { DRIVERS } from './drivers.ts'
import { endAll, postgresUnderTest } from './server.ts'

const LONG = 'select pg_sleep(30)'

describe.each(DRIVERS)('the request that stops a statement, with %s', (_name, { Pool }) => {
  const under = postgresUnderTest()
  const pools: pg.Pool[] = []
  const open = (options: PoolOptions = {}): GovernedPool => {
    const pool = new Pool({ ...under.target, max: 1, ...options })
    pools.push(pool)
    return pool
  }
  const running = async (): Promise<number> =>
    (await under.server.sessions()).filter(({ idle }) => !idle).length
  afterEach(() => {
    vi.restoreAllMocks()
    endAll(pools)
  })

  it('goes to the server that has the session, where the name leads to many', async () => {
    let lookups = 0
    vi.spyOn(dns, 'lookup').mockImplementation(((_host: string, _options: unknown, answer: unknown) => {
      lookups += 1
      // Nobody listens at the second.
      const address = lookups === 1 ? '127.0.0.1' : '127.0.0.2'
      ;(answer as (error: null, addresses: unknown) => void)(null, [{ address, family: 4 }])
    }) as typeof dns.lookup)
    const pool = open({ host: 'readers.example' })
    const error = await rejection(pool.query({ text: LONG, queryTimeoutMs: 200 }))
    expect(error).toMatchObject({ code: 'QUERY_TIMEOUT', cause: { code: '57014' } })
    expect(lookups).toBe(1)
  })

  it('is replaced by a cut when the server does not hear it, and the error says that it may have run', async () => {
    const relay = await startRelay(under.server)
    const pool = open({ port: relay.port })
    await pool.query('select 1')
    const asked = rejection(pool.query({ text: LONG, queryTimeoutMs: 200 }))
    await eventually('it runs', async () => (await running()) === 1)
    relay.blackhole()
    const error = await asked
    expect(error).toMatchObject({ code: 'QUERY_TIMEOUT' })
    expect(failureDetails(error)).toMatchObject({ statementMayHaveRun: true })
    expect(pool.totalCount).toBe(0)
    await relay.close()
  })

  describe('behind PgBouncer', () => {
    let pooler: Pgbouncer
    beforeAll(async () => {
      pooler = await startPgbouncer(under.server)
    })
    afterAll(() => pooler.dispose())

    it('stops it by the key that the pooler gave', async () => {
      const pool = open({ host: pooler.host, port: pooler.port, logger: quietLog() })
      const error = await rejection(pool.query({ text: LONG, queryTimeoutMs: 200 }))
      expect(error).toMatchObject({ code: 'QUERY_TIMEOUT', cause: { code: '57014' } })
      expect(await running()).toBe(0)
    })
  })
})

describe('stopping a statement in a pipeline', () => {
  const under = postgresUnderTest()
  const [, { Client }] = DRIVERS[0] as (typeof DRIVERS)[number]
  const connected = async (): Promise<InstanceType<typeof Client>> => {
    const client = new Client({ ...under.target, pipeline: true })
    await client.connect()
    return client
  }

  it('stops it on the server when nothing was sent behind it', async () => {
    const client = await connected()
    const error = await rejection(client.query({ text: LONG, queryTimeoutMs: 100 }))
    expect(error).toMatchObject({ code: 'QUERY_TIMEOUT', cause: { code: '57014' } })
    expect((await client.query('select 7 as n')).rows).toEqual([{ n: 7 }])
    await client.end()
  })

  it('cuts the connection rather than stop the one behind it', async () => {
    const client = await connected()
    const first = rejection(client.query({ text: LONG, queryTimeoutMs: 100 }))
    const second = rejection(client.query('select 1'))
    expect(await first).toMatchObject({ code: 'QUERY_TIMEOUT' })
    expect(failureDetails(await second)).toMatchObject({ statementMayHaveRun: true })
  })
})

describe.each(DRIVERS)('stopping a statement over TLS, with %s', (_name, { Pool }) => {
  it('asks over TLS, verified as the session is', async () => {
    const authority = await createAuthority()
    const server = await startPostgres({ tls: await authority.issue() })
    const hellos: string[] = []
    const proxy = createServer((client) => {
      client.once('data', (chunk) => hellos.push(chunk.subarray(4, 8).toString('hex')))
      const upstream = connectTo(server.port, server.host)
      client.pipe(upstream).pipe(client)
      for (const socket of [client, upstream]) socket.on('error', () => socket.destroy())
    })
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
    const { port } = proxy.address() as { port: number }
    const pool = new Pool({
      host: 'localhost',
      port,
      database: server.database,
      ...server.login,
      ssl: { ca: server.tls?.ca },
      max: 1,
    })
    const error = await rejection(pool.query({ text: LONG, queryTimeoutMs: 300 }))
    expect(error).toMatchObject({ code: 'QUERY_TIMEOUT', cause: { code: '57014' } })
    // The request for TLS, of the session and of the cancel; in the clear a cancel would be 04d2162e.
    expect(hellos).toEqual(['04d2162f', '04d2162f'])
    await pool.end()
    proxy.close()
    await server.dispose()
  })
})
