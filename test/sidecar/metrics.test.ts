// Metrics through the sidecar, which sends them when the function can't any more.
import type { LambdaFunction } from '@leasehold/lambda-emulator'
import { type DatabaseServer, startPostgres } from '@leasehold/test-databases'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'

import { FakeCloudWatch } from '../aws/cloudwatch.ts'
import { layOut, type Opt } from './opt.ts'

let opt: Opt
let cloud: FakeCloudWatch
const deployed: LambdaFunction[] = []

beforeAll(async () => {
  opt = await layOut()
})
afterAll(() => opt.remove())
beforeEach(async () => {
  cloud = await FakeCloudWatch.start()
})
afterEach(async () => {
  await Promise.all(deployed.splice(0).map((lambda) => lambda.dispose()))
  await cloud.stop()
})

/** A function whose metrics have arrived once: what the last two seconds need is loaded. */
async function deploy(): Promise<{ lambda: LambdaFunction; sentCount: number }> {
  const { lambda } = await opt.deploy({
    METRICS: JSON.stringify({ endpoint: cloud.endpoint, everyMs: 1_000 }),
  })
  deployed.push(lambda)
  let sentCount = 0
  for (; measured() === 0 && sentCount < 300; sentCount += 1) {
    await lambda.invoke({ measure: 1, after: 50 }, { settle: true })
  }
  expect(measured()).toBeGreaterThan(0)
  return { lambda, sentCount }
}

/** How often a connect was measured, as CloudWatch was told. */
function measured(): number {
  return cloud.data
    .filter(({ MetricName }) => MetricName === 'ConnectTime')
    .reduce((sum, { Counts }) => sum + Counts.reduce((all, count) => all + count, 0), 0)
}

async function eventually(isTrue: () => boolean): Promise<void> {
  await vi.waitUntil(isTrue, { timeout: 15_000, interval: 20 })
}

describe('metrics through the sidecar', () => {
  it.each(['throw', 'kill'])('arrive though the function crashed (%s)', async (crash) => {
    const { lambda, sentCount } = await deploy()
    const { error } = await lambda.invoke({ measure: 3, after: 300, crash }, { settle: true })
    expect(error?.errorType).toBe('Runtime.ExitError')
    await eventually(() => measured() === sentCount + 3)
  })

  it('arrive though the function ran out of time', async () => {
    const { lambda } = await opt.deploy(
      { METRICS: JSON.stringify({ endpoint: cloud.endpoint, everyMs: 1_000 }) },
      { timeoutMs: 5_000 },
    )
    deployed.push(lambda)
    const { timedOut } = await lambda.invoke({ measure: 3, crash: 'wait' }, { settle: true })
    expect(timedOut).toBe(true)
    await eventually(() => measured() === 3)
  })

  it('arrive when the environment is reclaimed, within its two seconds', async () => {
    const { lambda, sentCount } = await deploy()
    await lambda.invoke({ measure: 3, after: 100 }, { settle: true })
    const { killed } = (await lambda.environments[0]?.reclaim()) ?? {}
    expect(killed).toBe(false)
    expect(measured()).toBe(sentCount + 3)
  })

  it('are kept by the sidecar where CloudWatch refuses them, and sent at the end', async () => {
    const { lambda, sentCount } = await deploy()
    cloud.next('throttled')
    const { arrivedCount } = cloud
    await lambda.invoke({ measure: 4, after: 50 }, { settle: true })
    for (let request = 0; cloud.arrivedCount === arrivedCount && request < 300; request += 1) {
      await lambda.invoke({ after: 50 }, { settle: true })
    }
    await lambda.environments[0]?.reclaim()
    expect(measured()).toBe(sentCount + 4)
  })
})

describe("a pool's metrics through the sidecar", () => {
  let server: DatabaseServer
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(async () => {
    await (server as DatabaseServer | undefined)?.dispose()
  })

  async function deployPool(environment: Record<string, string> = {}): Promise<LambdaFunction> {
    const { host, port, database, login } = server
    const POOL = JSON.stringify({ target: { host, port, database, ...login }, endpoint: cloud.endpoint })
    const { lambda } = await opt.deploy({ POOL, ...environment }, { handler: 'functions/pool.handler' })
    deployed.push(lambda)
    return lambda
  }

  it('are all there when the environment has ended, counts of its last requests included', async () => {
    const lambda = await deployPool({ EXTENSION: 'on' })
    for (let request = 0; cloud.requests.length === 0 && request < 300; request += 1) {
      await lambda.invoke({ afterMs: 50 }, { settle: true })
    }
    for (let request = 0; request < 5; request += 1) await lambda.invoke({}, { settle: true })
    const [environment] = lambda.environments
    await environment?.reclaim()
    expect(cloud.sumOf('ConnectionsOpened')).toBe(1)
    expect(cloud.sumOf('ConnectionsReused')).toBe((environment?.invocations ?? 0) - 1)
    expect(measured()).toBe(1)
  })
})
