// Metrics through the sidecar, which sends them when the function can't any more.
import type { LambdaFunction } from '@leasehold/lambda-emulator'
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

async function deploy(environment: Record<string, string> = {}, everyMs = 900_000): Promise<LambdaFunction> {
  const { lambda } = await opt.deploy(
    { METRICS: JSON.stringify({ endpoint: cloud.endpoint, everyMs }), ...environment },
    { timeoutMs: 3_000 },
  )
  deployed.push(lambda)
  return lambda
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
  it('arrive though the function crashed', async () => {
    const lambda = await deploy()
    const { error } = await lambda.invoke({ measure: 3, after: 300, crash: 'throw' }, { settle: true })
    expect(error?.errorType).toBe('Runtime.ExitError')
    await eventually(() => measured() === 3)
  })

  it('arrive though the function was killed', async () => {
    const lambda = await deploy()
    const { error } = await lambda.invoke({ measure: 3, after: 300, crash: 'kill' }, { settle: true })
    expect(error?.errorMessage).toContain('signal: killed')
    await eventually(() => measured() === 3)
  })

  it('arrive though the function ran out of time', async () => {
    const lambda = await deploy()
    const { timedOut } = await lambda.invoke({ measure: 3, crash: 'wait' }, { settle: true })
    expect(timedOut).toBe(true)
    await eventually(() => measured() === 3)
  })

  it('arrive when the environment is reclaimed, within its two seconds', async () => {
    const lambda = await deploy()
    await lambda.invoke({ measure: 3, after: 100 }, { settle: true })
    await lambda.invoke({ measure: 2, after: 100 }, { settle: true })
    const { exitedAfterMs, killed } = (await lambda.environments[0]?.reclaim()) ?? {}
    expect(killed).toBe(false)
    expect(exitedAfterMs).toBeLessThan(2_000)
    expect(measured()).toBe(5)
    expect(await opt.sidecars()).toEqual([])
  })

  it('arrive while the function is in use, and no request waits for them', async () => {
    const lambda = await deploy({}, 1_000)
    const begun = performance.now()
    let sentCount = 0
    while (measured() === 0 && performance.now() - begun < 15_000) {
      sentCount += 1
      await lambda.invoke({ measure: 1, after: 50 }, { settle: true })
    }
    expect(measured()).toBeGreaterThan(0)
    await lambda.environments[0]?.reclaim()
    expect(measured()).toBe(sentCount)
  })

  it('are handed over, and the sidecar says so', async () => {
    const lambda = await deploy()
    expect((await lambda.invoke({ measure: 1, flush: true })).payload).toEqual({})
  })

  it('are kept by the sidecar where CloudWatch refuses them, and sent at the end', async () => {
    cloud.next('throttled')
    const lambda = await deploy({}, 1_000)
    for (let request = 0; cloud.arrivedCount === 0 && request < 100; request += 1) {
      await lambda.invoke({ measure: request === 0 ? 4 : 0, after: 100 }, { settle: true })
    }
    expect(measured()).toBe(0)
    await lambda.environments[0]?.reclaim()
    expect(measured()).toBe(4)
  })
})
