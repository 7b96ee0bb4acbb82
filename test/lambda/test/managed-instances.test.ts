// Lambda Managed Instances: several events at a time in one environment that is never frozen.

import { describe, expect, it } from 'vitest'

import { deploy, fields, hasAwsRuntime, kernelState, until, witness } from './deployed.ts'

const environment = { AWS_LAMBDA_MAX_CONCURRENCY: '8', AWS_LAMBDA_NODEJS_WORKER_COUNT: '2' }
const managed = { runtime: 'aws', environment } as const

describe.skipIf(!hasAwsRuntime)('a function of Managed Instances', () => {
  it('takes several events at a time in one environment', async () => {
    const lambda = deploy('plain.wait', managed)
    await lambda.scaleTo(1)
    const events = Array.from({ length: 8 }, () => lambda.invoke({ ms: 100 }))
    const answers = await Promise.all(events)
    expect(answers.map(({ payload }) => payload)).toEqual(Array(8).fill('waited'))
    expect(lambda.environments).toHaveLength(1)
  })

  it('starts another environment beyond its concurrency', async () => {
    const lambda = deploy('plain.wait', managed)
    await lambda.scaleTo(1)
    await Promise.all(Array.from({ length: 9 }, () => lambda.invoke({ ms: 50 })))
    expect(lambda.environments).toHaveLength(2)
  })

  it('is never frozen', async () => {
    const lambda = deploy('plain.echo', managed)
    const before = fields((await lambda.invoke({}, { settle: true })).payload)
    expect(lambda.environments[0]?.state).toBe('idle')
    await until(() => kernelState(lambda.environments[0]?.pid) === 'S')
    await expect
      .poll(async () => Number(fields((await lambda.invoke({})).payload)['ticks']))
      .toBeGreaterThan(Number(before['ticks']) + 5)
  })

  it('goes on after a timeout', async () => {
    const lambda = deploy('plain.wait', { ...managed, timeoutMs: 100 })
    expect((await lambda.invoke({ ms: 300 })).timedOut).toBe(true)
    expect((await lambda.invoke({ ms: 1 })).coldStart).toBe(false)
  })

  it('has no INVOKE event', async () => {
    const internal = deploy('registers.handler', {
      ...managed,
      environment: { ...environment, EVENTS: 'INVOKE' },
    })
    const body = { errorType: 'Extension.InvalidEventType' }
    expect(fields((await internal.invoke({})).payload)['registration']).toMatchObject({ status: 403, body })
    const external = deploy('plain.echo', { ...managed, extensions: [witness] })
    await expect(external.scaleTo(1)).rejects.toMatchObject({ errorType: 'Extension.Crash' })
    expect(external.environments[0]?.log).toContain('witness: registered 403')
  })
})
