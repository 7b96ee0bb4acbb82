import { afterEach, describe, expect, it } from 'vitest'

import { InvocationWatch } from '../../src/lambda/invocation-watch.ts'
import type { RuntimeClient, RuntimeListener } from '../../src/lambda/runtime-client.ts'
import { processWide } from '../../src/process-wide.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'

afterEach(() => {
  processWide().hold = undefined
  processWide().invocation = undefined
})

function start() {
  const clock = new ManualClock()
  let listener: RuntimeListener | undefined
  const runtime: Pick<RuntimeClient, 'listen' | 'isOver'> = {
    listen: (given) => {
      listener = given
    },
    isOver: () => false,
  }
  const watch = new InvocationWatch(clock, 20)
  watch.begin(runtime as RuntimeClient, Promise.resolve())
  const event = (requestId: string) => ({
    eventType: 'INVOKE',
    requestId,
    deadlineMs: clock.epochMs() + 3_000,
  })
  /** Whether the wait for the end of the invocation has ended. */
  const waiting = (requestId: string): { ended: boolean } => {
    const state = { ended: false }
    void watch.afterResponse(event(requestId)).then(() => {
      state.ended = true
    })
    return state
  }
  return { clock, waiting, over: () => listener?.over('') }
}

describe('the wait for the end of an invocation', () => {
  it('ends when the runtime asks for the next event, and leaves no timer', async () => {
    const { clock, waiting, over } = start()
    const one = waiting('one')
    await clock.advance(1_000)
    expect(one.ended).toBe(false)
    over()
    await clock.advance(0)
    expect([one.ended, clock.pendingCount]).toEqual([true, 0])
  })

  it('ends 100 ms before the deadline, and is not begun again while nothing is heard', async () => {
    const { clock, waiting, over } = start()
    const one = waiting('one')
    await clock.advance(2_899)
    expect(one.ended).toBe(false)
    await clock.advance(1)
    expect(one.ended).toBe(true)
    const two = waiting('two')
    await clock.advance(0)
    expect(two.ended).toBe(true)
    over()
    const three = waiting('three')
    await clock.advance(0)
    expect(three.ended).toBe(false)
  })
})

describe('a listener to invocations', () => {
  it('hears of each beginning, after the watch itself, and of each end', () => {
    const clock = new ManualClock()
    const heard: string[] = []
    let told: RuntimeListener | undefined
    const runtime: Pick<RuntimeClient, 'listen' | 'isOver'> = {
      listen: (given) => {
        told = given
      },
      isOver: () => false,
    }
    const listener = {
      begun: () => heard.push(`begun ${processWide().invocation?.requestId}`),
      over: () => heard.push('over'),
    }
    new InvocationWatch(clock, 20, listener).begin(runtime as RuntimeClient, Promise.resolve())
    told?.begun('one', clock.epochMs() + 3_000)
    told?.over('one')
    expect(heard).toEqual(['begun one', 'over'])
  })
})
