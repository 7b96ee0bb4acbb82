import { describe, expect, it } from 'vitest'

import type { InvocationContext } from '../src/invocation.ts'
import { Invocations } from '../src/invocations.ts'
import type { ProcessWide } from '../src/process-wide.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'

const context = (awsRequestId: string, leftMs = 3_000): InvocationContext => ({
  awsRequestId,
  getRemainingTimeInMillis: () => leftMs,
})

function start(given: Record<string, string | undefined> = {}) {
  const clock = new ManualClock()
  const env = { ...given }
  return { clock, env, invocations: new Invocations(clock, env) }
}

describe('invocations told apart by the runtime’s mark', () => {
  it('are counted from 1; before the first it is 0', () => {
    const { env, invocations } = start()
    expect([invocations.look(), invocations.number]).toEqual([false, 0])
    env['_X_AMZN_TRACE_ID'] = 'Root=1'
    expect([invocations.look(), invocations.number]).toEqual([true, 1])
    expect([invocations.look(), invocations.number]).toEqual([false, 1])
    env['_X_AMZN_TRACE_ID'] = 'Root=2'
    expect([invocations.look(), invocations.number]).toEqual([true, 2])
  })

  it('are not told apart where several run at once, not even by their handlers', () => {
    const { env, invocations } = start({ AWS_LAMBDA_MAX_CONCURRENCY: '8', _X_AMZN_TRACE_ID: 'Root=1' })
    expect(invocations.look()).toBe(false)
    expect(invocations.enter(context('one'))).toBe(false)
    env['_X_AMZN_TRACE_ID'] = 'Root=2'
    expect(invocations.enter(context('two'))).toBe(false)
    expect(invocations.number).toBe(0)
    expect(invocations.spendableMs()).toBeUndefined()
  })

  it('are one where the mark goes away and comes back the same', () => {
    const { env, invocations } = start({ _X_AMZN_TRACE_ID: 'Root=1' })
    invocations.look()
    delete env['_X_AMZN_TRACE_ID']
    expect(invocations.look()).toBe(false)
    env['_X_AMZN_TRACE_ID'] = 'Root=1'
    expect(invocations.look()).toBe(false)
  })
})

describe('invocations told apart by their handlers', () => {
  it('are another one with another request id, and the same with the same', () => {
    const { invocations } = start()
    expect([invocations.enter(context('one')), invocations.number]).toEqual([true, 1])
    expect([invocations.enter(context('one')), invocations.number]).toEqual([false, 1])
    expect([invocations.enter(context('two')), invocations.number]).toEqual([true, 2])
  })

  it('are not counted twice where the mark was seen before the handler spoke', () => {
    const { invocations } = start({ _X_AMZN_TRACE_ID: 'Root=1' })
    invocations.look()
    expect([invocations.enter(context('one')), invocations.number]).toEqual([false, 1])
  })

  it('are not counted twice where both tell', () => {
    const { env, invocations } = start({ _X_AMZN_TRACE_ID: 'Root=1' })
    expect([invocations.enter(context('one')), invocations.number]).toEqual([true, 1])
    env['_X_AMZN_TRACE_ID'] = 'Root=2'
    expect([invocations.enter(context('two')), invocations.number]).toEqual([true, 2])
  })

  it('are told apart although a caller’s trace gives both the same mark', () => {
    const { invocations } = start({ _X_AMZN_TRACE_ID: 'Root=1' })
    invocations.enter(context('one'))
    expect([invocations.enter(context('two')), invocations.number]).toEqual([true, 2])
  })
})

describe('the time that may be spent', () => {
  it('is not known before a handler tells', () => {
    const { invocations } = start({ _X_AMZN_TRACE_ID: 'Root=1' })
    invocations.look()
    expect(invocations.spendableMs()).toBeUndefined()
  })

  it('is what is left of the invocation, less a reserve for the answer', async () => {
    const { clock, invocations } = start()
    invocations.enter(context('one', 3_000))
    expect(invocations.spendableMs()).toBe(2_500)
    await clock.advance(1_000)
    expect(invocations.spendableMs()).toBe(1_500)
    await clock.advance(1_900)
    expect(invocations.spendableMs()).toBe(0)
  })

  it('is not longer because the wall clock was set back', async () => {
    const { clock, invocations } = start()
    invocations.enter(context('one', 3_000))
    await clock.advance(1_000)
    clock.setEpochBy(-60_000)
    expect(invocations.spendableMs()).toBe(1_500)
  })

  it('is not known any more once the invocation is over, whoever runs then', async () => {
    const { clock, env, invocations } = start({ _X_AMZN_TRACE_ID: 'Root=1' })
    invocations.enter(context('one', 3_000))
    await clock.advance(3_000)
    expect(invocations.spendableMs()).toBeUndefined()
    invocations.enter(context('two', 3_000))
    env['_X_AMZN_TRACE_ID'] = 'Root=2'
    invocations.look()
    expect(invocations.spendableMs()).toBeUndefined()
  })

  it('is not known where the context does not tell', () => {
    const { invocations } = start()
    invocations.enter(context('one', Number.NaN))
    expect(invocations.spendableMs()).toBeUndefined()
  })
})

describe('the end of an invocation, as Lambda’s runtime client was told', () => {
  const announce = (clock: ManualClock, leftMs: number) => ({
    requestId: 'one',
    deadlineEpochMs: clock.epochMs() + leftMs,
    longestMs: 3_000,
  })

  it('leaves a reserve for the answer, and goes before what a handler said earlier', () => {
    const clock = new ManualClock()
    const announced: Pick<ProcessWide, 'invocation'> = { invocation: undefined }
    const invocations = new Invocations(clock, {}, announced)
    invocations.enter(context('zero', 60_000))
    announced.invocation = announce(clock, 3_000)
    expect(invocations.spendableMs()).toBe(2_500)
    expect(invocations.longestMs).toBe(3_000)
    announced.invocation = announce(clock, 400)
    expect(invocations.spendableMs()).toBe(0)
  })

  it('is not known once it has passed', () => {
    const clock = new ManualClock()
    const invocations = new Invocations(clock, {}, { invocation: announce(clock, 100) })
    clock.freeze(60_000)
    expect(invocations.spendableMs()).toBeUndefined()
  })

  it('limits statements only where the handler says it too', () => {
    const clock = new ManualClock()
    const invocations = new Invocations(clock, {}, { invocation: announce(clock, 3_000) })
    expect(invocations.enteredMs()).toBeUndefined()
    invocations.enter(context('one', 3_000))
    expect(invocations.enteredMs()).toBe(2_500)
  })
})
