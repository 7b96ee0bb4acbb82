// Managed Instances under AWS's own runtime client: worker threads, many requests at once, one signal for all of them.
import type { Environment, LambdaFunction } from '@leasehold/lambda-emulator'
import { type DatabaseServer, startMariadb, startPostgres } from '@leasehold/test-databases'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'

import { eventually } from '../conformance/subject.ts'
import { bundleManaged, type ManagedFunction, REQUESTS, WORKERS } from './managed.ts'

/** A quarter of the requests. */
const SHARE = REQUESTS / 4
const SEEN_MS = 10_000
const SERVERS = { PostgreSQL: startPostgres, MariaDB: startMariadb }

interface Worked {
  readonly threadId: number
  readonly session: number
}

/** The most sessions that the server has seen at one time, until `working` is done. */
async function peakDuring(server: DatabaseServer, working: Promise<unknown>): Promise<number> {
  let peak = 0
  let isDone = false
  const done = working.finally(() => {
    isDone = true
  })
  while (!isDone) peak = Math.max(peak, (await server.sessions()).length)
  await done
  return peak
}

async function start(lambda: LambdaFunction): Promise<Environment> {
  await lambda.scaleTo(1)
  const [environment] = lambda.environments
  if (environment === undefined) throw new Error('no environment')
  return environment
}

async function work(lambda: LambdaFunction, count: number): Promise<readonly Worked[]> {
  const asked = await Promise.all(Array.from({ length: count }, () => lambda.invoke({ ask: 'work' })))
  expect(asked.map(({ error }) => error).filter((error) => error !== undefined)).toEqual([])
  return asked.map(({ payload }) => payload as Worked)
}

let managed: ManagedFunction

beforeAll(async () => {
  managed = await bundleManaged()
})
afterAll(async () => {
  await managed[Symbol.asyncDispose]()
})

describe.each(Object.entries(SERVERS))('an environment of Managed Instances, on %s', (_, startServer) => {
  let server: DatabaseServer
  const noSession = (): Promise<unknown> =>
    eventually('no session left', async () => (await server.sessions()).length === 0, SEEN_MS)

  beforeAll(async () => {
    server = await startServer({ maxConnections: 60 })
    await server.admin('create table writes (id integer)')
    if (server.engine === 'postgresql') await server.admin('grant all on writes to public')
  })
  afterAll(async () => {
    await server.dispose()
  })
  beforeEach(noSession)

  it(`answers ${REQUESTS} requests at once on ${WORKERS} threads with a quarter as many sessions, and closes all of them at its end`, async () => {
    await using lambda = managed.deploy(server)
    const environment = await start(lambda)
    const working = work(lambda, REQUESTS)
    expect(await peakDuring(server, working)).toBeLessThanOrEqual(SHARE)
    const worked = await working
    const sessions = new Map(worked.map(({ session, threadId }) => [session, threadId]))
    expect(sessions.size).toBeLessThanOrEqual(SHARE)
    for (const thread of new Set(sessions.values())) {
      const ofThread = [...sessions.values()].filter((threadId) => threadId === thread)
      expect(ofThread.length).toBeLessThanOrEqual(SHARE / WORKERS)
    }
    expect(lambda.environments).toHaveLength(1)
    expect(await environment.reclaim()).toMatchObject({ killed: false })
    await noSession()
  })

  it('leaves no session when a thread dies, with which the client ends the process', async () => {
    await using lambda = managed.deploy(server, { lambda: { timeoutMs: 10_000 } })
    const environment = await start(lambda)
    await work(lambda, REQUESTS)
    const crashing = lambda.invoke({ ask: 'crash' })
    // Dies of it when the thread's question is answered.
    await eventually('the end', async () => {
      if (environment.state === 'busy') await lambda.invoke({ ask: 'work' })
      return environment.state === 'ended'
    })
    expect((await crashing).error?.errorType).toBe('Runtime.ExitError')
    await noSession()
  })

  it('goes on when a thread dies under the client’s other way to ask, and that thread’s sessions end', async () => {
    await using lambda = managed.deploy(server, {
      variables: { AWS_LAMBDA_NODEJS_USE_ALTERNATIVE_CLIENT_1: 'true' },
      lambda: { timeoutMs: 3_000 },
    })
    const environment = await start(lambda)
    const sessionsOf = new Map<number, Set<number>>()
    for (const { threadId, session } of await work(lambda, REQUESTS)) {
      sessionsOf.set(threadId, (sessionsOf.get(threadId) ?? new Set()).add(session))
    }
    const crashing = lambda.invoke({ ask: 'crash' })
    await eventually('one thread’s sessions are gone', async () => {
      const open = new Set((await server.sessions()).map(({ id }) => id))
      return [...sessionsOf.values()].some((ids) => [...ids].every((id) => !open.has(id)))
    })
    // Nobody answers for it, and the client starts no other.
    expect((await crashing).timedOut).toBe(true)
    await work(lambda, 16)
    expect(lambda.environments).toHaveLength(1)
    expect(await environment.reclaim()).toMatchObject({ killed: false })
    await noSession()
  })

  it('takes from an invocation that is out of time what it holds, stops its statement and rolls it back', async () => {
    await using lambda = managed.deploy(server, {
      variables: { AWS_LAMBDA_NODEJS_WORKER_COUNT: '1' },
      pool: { environmentConnections: 1 },
      lambda: { timeoutMs: 2_000 },
    })
    const environment = await start(lambda)
    for (const ask of ['hold', 'long']) {
      expect((await lambda.invoke({ ask })).timedOut).toBe(true)
      // The pool has but the one connection.
      expect((await lambda.invoke({ ask: 'work' })).error).toBeUndefined()
      await eventually('nothing runs', async () =>
        (await server.sessions()).every(({ idle, inTransaction }) => idle && inTransaction !== true),
      )
    }
    expect(await server.admin('select id from writes')).toEqual([])
    const said = environment.log.filter((line) => line.includes('when its invocation was out of time'))
    expect(said.length).toBeGreaterThan(0)
  })

  it('ends the statements of an invocation in time, and of no other, where the handler says which it is', async () => {
    await using lambda = managed.deploy(server, {
      variables: { AWS_LAMBDA_NODEJS_WORKER_COUNT: '1' },
      pool: { environmentConnections: 4 },
      lambda: { timeoutMs: 2_000 },
    })
    await start(lambda)
    const [said, unsaid] = await Promise.all([
      lambda.invoke({ ask: 'long', enter: true }),
      lambda.invoke({ ask: 'long' }),
      work(lambda, 8),
    ])
    expect(said).toMatchObject({ timedOut: false, error: { errorType: 'LeaseholdError' } })
    expect(unsaid.timedOut).toBe(true)
  })
})

describe('a worker thread whose main thread has loaded nothing', () => {
  it('says so, and that no thread of libuv’s is left for connections', async () => {
    const nobody = { engine: 'postgresql', host: '127.0.0.1', port: 1, database: 'none' }
    const server = { ...nobody, login: { user: 'none', password: 'none' } } as unknown as DatabaseServer
    await using lambda = managed.deploy(server, {
      variables: { NODE_OPTIONS: '', AWS_LAMBDA_NODEJS_WORKER_COUNT: '4' },
    })
    expect((await lambda.invoke({ ask: 'status' })).payload).toMatchObject({
      registered: false,
      deadlines: true,
      problem:
        'signals reach the main thread alone, which has not loaded `@leasehold/core/lambda/preload`: set ' +
        "NODE_OPTIONS; the runtime client's 4 workers occupy all 4 threads of libuv's pool while they wait, and no " +
        "connection opens meanwhile: set UV_THREADPOOL_SIZE to 8 in the function's configuration",
    })
  })
})
