import { describe, expect, it } from 'vitest'

import { Moment, systemClock } from '../src/clock.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'

describe('a moment', () => {
  it('counts the time that both clocks saw', async () => {
    const clock = new ManualClock()
    const moment = new Moment(clock)
    await clock.advance(250)
    expect(moment.elapsedMs(clock)).toBe(250)
  })

  it('believes the epoch clock when the monotonic clock stood still in a freeze', () => {
    const clock = new ManualClock()
    const moment = new Moment(clock)
    clock.freeze(60_000, 0)
    expect(moment.elapsedMs(clock)).toBe(60_000)
  })

  it('believes the monotonic clock when the epoch clock was set back', async () => {
    const clock = new ManualClock()
    const moment = new Moment(clock)
    clock.setEpochBy(-3_600_000)
    await clock.advance(700)
    expect(moment.elapsedMs(clock)).toBe(700)
  })

  it('is never in the future, even when both clocks went back', () => {
    const clock = new ManualClock()
    const moment = new Moment(clock)
    clock.freeze(-50, -50)
    expect(moment.elapsedMs(clock)).toBe(0)
  })

  it('starts again when it is set', async () => {
    const clock = new ManualClock()
    const moment = new Moment(clock)
    await clock.advance(100)
    moment.set(clock)
    await clock.advance(5)
    expect(moment.elapsedMs(clock)).toBe(5)
  })

  it('takes over another moment on both clocks', async () => {
    const clock = new ManualClock()
    const earlier = new Moment(clock)
    await clock.advance(100)
    const later = new Moment(clock)
    later.copy(earlier)
    clock.freeze(10, 0)
    expect(later.elapsedMs(clock)).toBe(110)
  })
})

describe('the system clock', () => {
  it('rejects with the reason of a signal that had aborted before the sleep', async () => {
    const reason = new Error('no longer wanted')
    await expect(systemClock.sleep(60_000, AbortSignal.abort(reason))).rejects.toBe(reason)
  })

  it('ends a sleep when the signal aborts, and takes its timer away', async () => {
    const controller = new AbortController()
    const reason = new Error('no longer wanted')
    const timersBefore = countTimers()
    const sleep = systemClock.sleep(60_000, controller.signal)
    expect(countTimers()).toBe(timersBefore + 1)
    controller.abort(reason)
    await expect(sleep).rejects.toBe(reason)
    expect(countTimers()).toBe(timersBefore)
  })

  it('sleeps, and no longer listens to the signal afterwards', async () => {
    const controller = new AbortController()
    await systemClock.sleep(0, controller.signal)
    controller.abort(new Error('too late to matter'))
  })

  it('does not keep the process alive for what it runs later', () => {
    const timersBefore = countTimers()
    systemClock.later(60_000, () => undefined)
    expect(countTimers()).toBe(timersBefore)
  })

  it('defers work until the promises that follow the running code have settled', async () => {
    const order: string[] = []
    const deferred = new Promise<void>((resolve) => {
      systemClock.defer(() => {
        order.push('deferred')
        resolve()
      })
    })
    await Promise.resolve()
    order.push('followed')
    await deferred
    expect(order).toEqual(['followed', 'deferred'])
  })
})

/** Timers that keep the process alive. */
function countTimers(): number {
  return process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length
}
