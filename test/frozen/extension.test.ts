// The extension under AWS's own runtime client: in time, once, and never in the way.
import type { LambdaFunction } from '@leasehold/lambda-emulator'
import {
  type DatabaseServer,
  freePort,
  type Relay,
  startPostgres,
  startRelay,
} from '@leasehold/test-databases'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { eventually } from '../conformance/subject.ts'
import { deployExtended, type Extended } from './extended.ts'

const ESM = 'functions/extended.handler'
const COMMON = 'functions/extended-common.handler'
const IN_TIME = { registered: true, afterResponse: true, deadlines: true, problem: undefined }

let server: DatabaseServer

beforeAll(async () => {
  server = await startPostgres()
})
afterAll(async () => {
  await server.dispose()
})

async function deployTroubled(trouble: string, handler: string): Promise<LambdaFunction> {
  return deployExtended(server, {
    extension: { afterResponse: true },
    variables: { TROUBLE: trouble, TROUBLE_PORT: `${await freePort()}` },
    lambda: { handler },
  })
}

describe.each([
  ['an ES module', ESM],
  ['a CommonJS module, which can’t await it', COMMON],
])('an extension registered by %s', (_, handler) => {
  it('is in time, every time', async () => {
    await using lambda = deployExtended(server, {
      extension: { afterResponse: true },
      lambda: { handler },
    })
    expect(lambda.runtime).toBe('aws')
    await lambda.scaleTo(20)
    const asked = Array.from({ length: 20 }, () => lambda.invoke({ ask: 'status' }, { settle: true }))
    const statuses = (await Promise.all(asked)).map(({ payload }) => payload)
    expect(statuses).toEqual(Array.from(statuses, () => IN_TIME))
  })

  it('is in time where the API takes 300 ms to answer', async () => {
    await using lambda = await deployTroubled('late', handler)
    expect((await lambda.invoke({ ask: 'status' })).payload).toEqual(IN_TIME)
  })

  it('asks again for its first event, without which Init does not end', async () => {
    await using lambda = await deployTroubled('flaky', handler)
    expect((await lambda.invoke({ ask: 'status' })).payload).toEqual(IN_TIME)
  })

  it.each([
    ['missing', 'registration was answered with 404'],
    ['failing', 'registration was answered with 500 (Extension.Internal)'],
    ['wordless', 'registration was answered with 200'],
    ['dying', 'socket hang up'],
    ['closed', 'ECONNREFUSED'],
    ['hanging', 'the Extensions API has not answered within 3000 ms'],
  ])('is off, and the function works, where the API is %s', async (trouble, problem) => {
    await using lambda = await deployTroubled(trouble, handler)
    const { payload } = await lambda.invoke({ ask: 'status' }, { settle: true })
    expect(payload).toEqual({
      registered: false,
      afterResponse: false,
      deadlines: true,
      problem: expect.stringContaining(problem),
    })
    for (let request = 0; request < 3; request += 1) {
      expect((await lambda.invoke({}, { settle: true })).error).toBeUndefined()
    }
    expect(lambda.environments).toHaveLength(1)
    const said = lambda.environments[0]?.log.filter((line) => line.includes('leasehold:'))
    expect(said).toEqual([expect.stringContaining(problem)])
  })

  it('serves a registration that is answered after it was given up: Init waits for that', async () => {
    await using lambda = await deployTroubled('slow', handler)
    const { payload } = await lambda.invoke({ ask: 'status' }, { settle: true })
    expect(payload).toMatchObject({ registered: false, problem: expect.stringContaining('3000 ms') })
    expect((await lambda.invoke({}, { settle: true })).error).toBeUndefined()
    expect(await lambda.environments[0]?.reclaim()).toMatchObject({ killed: false })
    await eventually('no session left', async () => (await server.sessions()).length === 0, 1_000)
  })
})

describe('an extension under another runtime client', () => {
  it('registers without events: where a response ends is not known', async () => {
    const extension = { afterResponse: true }
    await using lambda = deployExtended(server, { extension, lambda: { runtime: 'stand-in' } })
    const { payload } = await lambda.invoke({ ask: 'status' }, { settle: true })
    expect(payload).toMatchObject({ registered: true, afterResponse: false, deadlines: false })
    expect((await lambda.invoke({}, { settle: true })).error).toBeUndefined()
    expect(await lambda.environments[0]?.reclaim()).toMatchObject({ killed: false })
    await eventually('no session left', async () => (await server.sessions()).length === 0, 1_000)
  })
})

describe('an extension that waits for the end of each invocation', () => {
  it.each([
    ['fail', { handler: ESM }],
    ['stream', { handler: 'functions/extended.stream' }],
  ])('hears of it where handlers %s', async (ask, lambda) => {
    await using function_ = deployExtended(server, {
      extension: { afterResponse: true },
      lambda: { timeoutMs: 3_000, ...lambda },
    })
    for (let request = 0; request < 3; request += 1) {
      const { error, payload } = await function_.invoke({ ask }, { settle: true })
      expect(error?.errorMessage ?? payload).toBe(ask === 'fail' ? 'as asked' : 'first, second')
    }
    expect(function_.environments.map(({ state }) => state)).toEqual(['frozen'])
  })

  it('waits for nothing where the client asks by another way than the one that is watched', async () => {
    await using lambda = deployExtended(server, {
      extension: { afterResponse: true },
      variables: { AWS_LAMBDA_NODEJS_USE_ALTERNATIVE_CLIENT_1: 'true' },
      lambda: { timeoutMs: 3_000 },
    })
    for (let request = 0; request < 3; request += 1) {
      expect((await lambda.invoke({}, { settle: true })).error).toBeUndefined()
    }
    expect(lambda.environments.map(({ state }) => state)).toEqual(['frozen'])
  })
})

describe('the end of an invocation', () => {
  it('limits the wait for a connection, though the handler says nothing of it', async () => {
    await using lambda = deployExtended(server, { extension: {}, lambda: { timeoutMs: 2_000 } })
    for (let request = 0; request < 2; request += 1) {
      const { payload } = await lambda.invoke({ ask: 'wait' }, { settle: true })
      const { code, leftMs } = payload as { code: string; leftMs: number }
      expect(code).toBe('ACQUIRE_TIMEOUT')
      expect(leftMs).toBeGreaterThan(350)
      expect(leftMs).toBeLessThanOrEqual(500)
    }
  })
})

describe('housekeeping that is due', () => {
  /** Each way. */
  const AWAY_MS = 150
  const ROUND_TRIP_MS = 2 * AWAY_MS
  let relay: Relay

  beforeAll(async () => {
    relay = await startRelay(server)
    relay.delayMs = AWAY_MS
  })
  afterAll(() => relay.close())

  /** One frozen environment with a session, and a census due at each checkin. */
  async function deployFar(
    extension: object | undefined,
    lambda: Extended['lambda'] = {},
  ): Promise<LambdaFunction> {
    const pool = { host: relay.host, port: relay.port, censusEveryMs: 100 }
    const far = deployExtended(server, { pool, lambda, ...(extension === undefined ? {} : { extension }) })
    await far.invoke({}, { settle: true })
    return far
  }

  const censuses = async (lambda: LambdaFunction): Promise<number> =>
    ((await lambda.invoke({ ask: 'stats' }, { settle: true })).payload as { censuses: number }).censuses

  it('runs after the response, and the freeze waits for it', async () => {
    await using lambda = await deployFar({ afterResponse: true, afterResponseMs: 1_000 })
    const before = await censuses(lambda)
    const { latencyMs } = await lambda.invoke({})
    const answeredMs = performance.now()
    expect(lambda.environments[0]?.state).toBe('draining')
    await lambda.settled()
    expect(latencyMs).toBeLessThan(1.5 * ROUND_TRIP_MS)
    expect(performance.now() - answeredMs).toBeGreaterThan(0.9 * ROUND_TRIP_MS)
    expect(await censuses(lambda)).toBe(before + 1)
  })

  it('does not keep the environment where nothing holds the freeze off', async () => {
    await using lambda = await deployFar(undefined)
    await lambda.invoke({})
    const answeredMs = performance.now()
    await lambda.settled()
    expect(performance.now() - answeredMs).toBeLessThan(0.5 * ROUND_TRIP_MS)
  })

  it('holds the freeze off for no longer than it may', async () => {
    await using lambda = await deployFar({ afterResponse: true })
    await lambda.invoke({})
    const answeredMs = performance.now()
    await lambda.settled()
    expect(performance.now() - answeredMs).toBeLessThan(0.5 * ROUND_TRIP_MS)
  })

  it('does not run into the timeout of the function', async () => {
    const extension = { afterResponse: true, afterResponseMs: 1_000 }
    await using lambda = await deployFar(extension, { timeoutMs: 3_000 })
    relay.delayMs = 1_100
    try {
      await lambda.invoke({})
      const answeredMs = performance.now()
      await lambda.settled()
      expect(performance.now() - answeredMs).toBeGreaterThan(400)
      expect(lambda.environments[0]?.state).toBe('frozen')
    } finally {
      relay.delayMs = AWAY_MS
    }
  })
})
