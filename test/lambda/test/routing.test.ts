// Which environment gets an event, and when another one is started.

import { describe, expect, it } from 'vitest'

import { DisposedError, ThrottledError } from '../src/index.ts'
import { deploy, fields, kernelState, until } from './deployed.ts'

const runtime = 'stand-in'

describe('routing', () => {
  it('starts a second environment when the first is busy', async () => {
    const lambda = deploy('plain.wait', { runtime })
    const both = await Promise.all([lambda.invoke({ ms: 50 }), lambda.invoke({ ms: 50 })])
    expect(both.map(({ coldStart }) => coldStart)).toEqual([true, true])
    expect(new Set(both.map(({ environmentId }) => environmentId)).size).toBe(2)
  })

  it('prefers the environment that was used last', async () => {
    const lambda = deploy('plain.wait', { runtime })
    await lambda.scaleTo(3)
    const long = lambda.invoke({ ms: 500 }, { settle: true })
    const short = await lambda.invoke({ ms: 1 }, { settle: true })
    expect((await lambda.invoke({ ms: 1 }, { settle: true })).environmentId).toBe(short.environmentId)
    const { environmentId } = await long
    expect((await lambda.invoke({ ms: 1 })).environmentId).toBe(environmentId)
  })

  it('rejects like status 429 when reserved concurrency is used up, and accepts again afterwards', async () => {
    const lambda = deploy('plain.wait', { runtime, maxEnvironments: 1 })
    const running = lambda.invoke({ ms: 50 }, { settle: true })
    const error: unknown = await lambda.invoke({ ms: 1 }).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(ThrottledError)
    expect(error).toMatchObject({ statusCode: 429, name: 'TooManyRequestsException' })
    await running
    expect((await lambda.invoke({ ms: 1 })).payload).toBe('waited')
  })

  it('does not count environments that vanished against reserved concurrency', async () => {
    const lambda = deploy('plain.echo', { runtime, maxEnvironments: 1 })
    await lambda.invoke({}, { settle: true })
    lambda.environments[0]?.vanish()
    expect(await lambda.invoke({})).toMatchObject({ coldStart: true, environmentId: 'tested-2' })
  })

  it('starts as many environments as asked for, and keeps those there are', async () => {
    const lambda = deploy('plain.echo', { runtime })
    await lambda.scaleTo(2)
    await lambda.scaleTo(12)
    expect(lambda.environments.map(({ state }) => state)).toEqual(Array(12).fill('frozen'))
    const answers = await Promise.all(lambda.environments.map(() => lambda.invoke({})))
    expect(answers.some(({ coldStart }) => coldStart)).toBe(false)
    expect(new Set(answers.map(({ payload }) => fields(payload)['pid'])).size).toBe(12)
  })

  it('rejects when the caller aborts, while the function runs on', async () => {
    const lambda = deploy('plain.wait', { runtime })
    await lambda.scaleTo(1)
    const caller = new AbortController()
    const pending = lambda.invoke({ ms: 30 }, { signal: caller.signal })
    caller.abort(new Error('gave up'))
    await expect(pending).rejects.toThrow('gave up')
    expect(lambda.environments[0]?.state).toBe('busy')
    await lambda.settled()
    expect(lambda.environments[0]?.state).toBe('frozen')
  })

  it('tells how long an event waited for Init and how long it took', async () => {
    const lambda = deploy('plain.wait', { runtime })
    const cold = await lambda.invoke({ ms: 20 }, { settle: true })
    const warm = await lambda.invoke({ ms: 20 })
    expect(cold.queuedMs).toBeGreaterThan(10)
    expect(warm.queuedMs).toBeLessThan(cold.queuedMs)
    expect(warm.latencyMs).toBeGreaterThanOrEqual(19)
  })
})

describe('disposal', () => {
  it('leaves no process, whatever state it was in', async () => {
    const lambda = deploy('plain.wait', { runtime })
    await lambda.scaleTo(3)
    const pending = lambda.invoke({ ms: 10_000 })
    const outcome = expect(pending).rejects.toBeInstanceOf(DisposedError)
    lambda.environments.find(({ state }) => state === 'frozen')?.vanish()
    const pids = lambda.environments.map(({ pid }) => pid)
    await lambda.dispose()
    await outcome
    expect(pids.map(kernelState)).toEqual([undefined, undefined, undefined])
    await expect(lambda.invoke({})).rejects.toBeInstanceOf(DisposedError)
  })

  it('ends a function in the middle of its Init', async () => {
    const lambda = deploy('slow-init.handler', { runtime, environment: { INIT_MS: '5000' } })
    const outcome = expect(lambda.invoke({})).rejects.toBeInstanceOf(DisposedError)
    await until(() => lambda.environments[0]?.pid !== undefined)
    const pid = lambda.environments[0]?.pid
    await lambda.dispose()
    await outcome
    expect(kernelState(pid)).toBeUndefined()
  })
})
