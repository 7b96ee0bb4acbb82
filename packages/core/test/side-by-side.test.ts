import { AsyncLocalStorage } from 'node:async_hooks'

import { afterEach, describe, expect, it } from 'vitest'

import { NOBODYS, type InvocationContext } from '../src/invocation.ts'
import { SideBySide } from '../src/side-by-side.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'

const runtime = globalThis as { awslambda?: unknown }
afterEach(() => {
  delete runtime.awslambda
})

const context = (awsRequestId: string, leftMs = 3_000): InvocationContext => ({
  awsRequestId,
  getRemainingTimeInMillis: () => leftMs,
})

function start(running?: ReadonlyMap<string, number>) {
  const clock = new ManualClock()
  return { clock, invocations: new SideBySide(clock, { running }) }
}

/** As the runtime client keeps the invocation in whose context code runs. */
function keepInvocations(): (requestId: string, work: () => void) => void {
  const store = new AsyncLocalStorage<{ readonly requestId: string }>()
  runtime.awslambda = {
    InvokeStore: {
      getContext: () => store.getStore(),
      getRequestId: () => store.getStore()?.requestId ?? '-',
    },
  }
  return (requestId, work) => store.run({ requestId }, work)
}

/** A turn of its own, as each invocation has. */
const turn = <T>(work: () => Promise<T>): Promise<T> => Promise.resolve().then(work)

describe('invocations that run side by side', () => {
  it('are told apart by context, across what they await', async () => {
    const { invocations } = start()
    const seen = async (requestId: string, leftMs: number): Promise<unknown> => {
      invocations.enter(context(requestId, leftMs))
      await Promise.resolve()
      await new Promise((resolve) => process.nextTick(resolve))
      return [invocations.current.requestId, invocations.spendableMs(), invocations.enteredMs()]
    }
    const both = [turn(() => seen('one', 3_000)), turn(() => seen('two', 1_000))]
    expect(await Promise.all(both)).toEqual([
      ['one', 2_500, 2_500],
      ['two', 500, 500],
    ])
    expect(invocations.current).toBe(NOBODYS)
    expect(invocations.longestMs).toBe(3_000)
  })

  it('need no number', async () => {
    const { invocations } = start()
    await turn(async () => {
      invocations.enter(context(undefined as unknown as string))
      expect(invocations.spendableMs()).toBe(2_500)
    })
  })

  it('are one and the same when a handler speaks twice', async () => {
    const { invocations } = start()
    await turn(async () => {
      invocations.enter(context('one'))
      const { current } = invocations
      invocations.enter(context('one', 2_000))
      expect(invocations.current).toBe(current)
      expect(invocations.spendableMs()).toBe(1_500)
    })
  })

  it('have no time left once they are out of it, and not more', async () => {
    const { clock, invocations } = start()
    await turn(async () => {
      invocations.enter(context('one'))
      clock.freeze(3_001)
      expect(invocations.spendableMs()).toBe(0)
      expect(invocations.isOver(invocations.current)).toBe(true)
    })
    expect(invocations.isOver(NOBODYS)).toBe(false)
  })

  it('end when a handler does not say when, only where it said which it is', async () => {
    const { invocations } = start()
    await turn(async () => {
      invocations.enter(context('one', Number.NaN))
      expect(invocations.spendableMs()).toBeUndefined()
    })
  })
})

describe('invocations whose handlers say nothing', () => {
  it('are told apart by the runtime client’s mark, and limit waits alone', () => {
    const running = new Map<string, number>()
    const { clock, invocations } = start(running)
    const inInvocation = keepInvocations()
    running.set('one', clock.epochMs() + 3_000)
    inInvocation('one', () => {
      const { current } = invocations
      expect(current.requestId).toBe('one')
      expect(invocations.current).toBe(current)
      expect([invocations.spendableMs(), invocations.enteredMs()]).toEqual([2_500, undefined])
    })
    inInvocation('two', () => {
      expect(invocations.current.requestId).toBe('two')
      expect(invocations.spendableMs()).toBeUndefined()
    })
    expect(invocations.current).toBe(NOBODYS)
  })
})

describe('a look at invocations that run side by side', () => {
  it('is worth it when one that took a connection is out of time, and once', async () => {
    const { clock, invocations } = start()
    await turn(async () => {
      invocations.enter(context('one'))
      invocations.took(invocations.current)
    })
    await turn(async () => {
      invocations.enter(context('two', 1_000))
      invocations.took(invocations.current)
    })
    expect(invocations.look()).toBe(false)
    await clock.advance(1_000)
    expect([invocations.look(), invocations.look()]).toEqual([true, false])
  })

  it('is worth nothing where nobody’s time is known', () => {
    const { invocations } = start()
    invocations.took(NOBODYS)
    expect(invocations.look()).toBe(false)
  })
})
