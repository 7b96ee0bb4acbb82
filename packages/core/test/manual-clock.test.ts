import { describe, expect, it } from 'vitest'

import { ManualClock } from '../src/testing/manual-clock.ts'

describe('the manual clock', () => {
  it('stands still until it is told otherwise', () => {
    const clock = new ManualClock()
    expect([clock.monotonicMs(), clock.epochMs()]).toEqual([clock.monotonicMs(), clock.epochMs()])
  })

  it('runs what falls due on the way, in order of time and then of asking', async () => {
    const clock = new ManualClock()
    const order: string[] = []
    clock.later(20, () => order.push('b'))
    clock.later(10, () => order.push('a'))
    clock.later(20, () => order.push('c'))
    clock.later(21, () => order.push('not yet'))
    await clock.advance(20)
    expect(order).toEqual(['a', 'b', 'c'])
    expect(clock.pendingCount).toBe(1)
  })

  it('shows each piece of work the time at which it was due', async () => {
    const clock = new ManualClock()
    const startMs = clock.monotonicMs()
    const seen: number[] = []
    clock.later(5, () => {
      seen.push(clock.monotonicMs() - startMs)
      clock.later(5, () => seen.push(clock.monotonicMs() - startMs))
    })
    await clock.advance(100)
    expect(seen).toEqual([5, 10])
    expect(clock.monotonicMs() - startMs).toBe(100)
  })

  it('lets long chains of promises and ticks run between two timers', async () => {
    const clock = new ManualClock()
    let links = 0
    const chain = clock.sleep(1).then(async () => {
      for (; links < 500; links += 1) await Promise.resolve()
      await new Promise<void>((resolve) => {
        process.nextTick(resolve)
      })
      await clock.sleep(1)
      links += 1
    })
    await clock.advance(2)
    await chain
    expect(links).toBe(501)
  })

  it('runs nothing while frozen, and what fell due meanwhile at the next advance', async () => {
    const clock = new ManualClock()
    let ran = false
    clock.later(10, () => {
      ran = true
    })
    clock.freeze(60_000)
    await Promise.resolve()
    expect(ran).toBe(false)
    await clock.advance(0)
    expect(ran).toBe(true)
  })

  it('may freeze with the monotonic clock standing still', () => {
    const clock = new ManualClock()
    const before = { monotonicMs: clock.monotonicMs(), epochMs: clock.epochMs() }
    clock.freeze(1_000, 0)
    expect(clock.monotonicMs()).toBe(before.monotonicMs)
    expect(clock.epochMs()).toBe(before.epochMs + 1_000)
  })

  it('takes an aborted sleep off its list', async () => {
    const clock = new ManualClock()
    const controller = new AbortController()
    const sleep = clock.sleep(10, controller.signal)
    controller.abort(new Error('enough'))
    await expect(sleep).rejects.toThrow('enough')
    expect(clock.pendingCount).toBe(0)
  })

  it('rejects a sleep whose signal had aborted before', async () => {
    const clock = new ManualClock()
    await expect(clock.sleep(10, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough')
    expect(clock.pendingCount).toBe(0)
  })
})
