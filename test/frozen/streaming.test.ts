// Responses that are streamed, under AWS's own runtime client: the connection is the invocation's until the last row.
import type { LambdaFunction } from '@leasehold/lambda-emulator'
import { type DatabaseServer, startMariadb, startPostgres } from '@leasehold/test-databases'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { eventually } from '../conformance/subject.ts'
import { deployExtended } from './extended.ts'

/** More than sockets and streams hold between the server and whoever reads slowly. */
const COUNT = 30_000
const LEASE_MS = 1_000
const SERVERS = { PostgreSQL: startPostgres, MariaDB: startMariadb }

describe.each(Object.entries(SERVERS))('a response that is streamed from rows, on %s', (_, startServer) => {
  let server: DatabaseServer
  let lambda: LambdaFunction

  beforeAll(async () => {
    server = await startServer()
    lambda = deployExtended(server, {
      extension: { afterResponse: true },
      // The shortest lease at once, whatever the pressure.
      pool: { minLeaseMs: LEASE_MS, maxLeaseMs: 10 * LEASE_MS, targetPressure: 0.1 },
      lambda: { handler: 'functions/streaming.stream', runtime: 'aws' },
    })
  })
  afterAll(async () => {
    await lambda.dispose()
    await server.dispose()
  })

  const stats = async (): Promise<Record<string, number>> =>
    (await lambda.invoke({ ask: 'stats' }, { settle: true })).payload as Record<string, number>

  it('has every row, though its caller reads for longer than the lease', async () => {
    const asked = { ask: 'rows', count: COUNT, pauseMs: 2 * LEASE_MS }
    const { payload, error } = await lambda.invoke(asked, { settle: true })
    expect(error).toBeUndefined()
    expect(String(payload).trimEnd().split('\n')).toHaveLength(COUNT)
    expect(await stats()).toMatchObject({ opened: 1, lapsed: 0, lost: 0, reclaimed: 0 })
  })

  it('keeps the environment awake to its end, and gives the connection back', async () => {
    let isOver = false
    const streaming = lambda.invoke({ ask: 'rows', count: COUNT, pauseMs: 500 }).finally(() => {
      isOver = true
    })
    const current = (): unknown => lambda.environments[0]?.state
    await eventually('the invocation has begun', () => current() === 'busy')
    // Not whether the server is at it: it may have sent all rows long before they are read.
    await eventually('the end of the stream, or of being awake', () => isOver || current() !== 'busy')
    expect(isOver).toBe(true)
    expect((await streaming).error).toBeUndefined()
    await lambda.settled()
    expect(lambda.environments.map(({ state }) => state)).toEqual(['frozen'])
    expect((await server.sessions()).every(({ idle }) => idle)).toBe(true)
  })

  it('leaves the connection for the next invocation to close, where the handler stops reading', async () => {
    const { reclaimed: before } = await stats()
    const { payload } = await lambda.invoke({ ask: 'abandon', count: COUNT }, { settle: true })
    expect(payload).toBe('enough')
    expect((await lambda.invoke({ ask: 'rows', count: 10 }, { settle: true })).error).toBeUndefined()
    expect((await stats())['reclaimed']).toBe(Number(before) + 1)
    await eventually('one session', async () => (await server.sessions()).length === 1)
    expect(lambda.environments).toHaveLength(1)
  })

  it('leaves no session where it runs into the timeout of the function, or its environment is reclaimed', async () => {
    await using short = deployExtended(server, {
      extension: {},
      lambda: { handler: 'functions/streaming.stream', runtime: 'aws', timeoutMs: 1_500 },
    })
    expect((await short.invoke({ ask: 'rows', count: COUNT, pauseMs: 30_000 })).timedOut).toBe(true)
    await short.settled()
    expect(await lambda.environments[0]?.reclaim()).toMatchObject({ killed: false })
    await eventually('no session left', async () => (await server.sessions()).length === 0)
  })
})
