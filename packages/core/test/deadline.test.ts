import { describe, expect, it } from 'vitest'

import { Deadline, within } from '../src/deadline.ts'
import { LeaseholdError } from '../src/errors.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { rejectionOf } from './scene.ts'

describe('a deadline', () => {
  it('says what is left, and 0 once it has passed', async () => {
    const clock = new ManualClock()
    const deadline = new Deadline(clock, 1_000)
    await clock.advance(300)
    expect([deadline.elapsedMs(), deadline.leftMs()]).toEqual([300, 700])
    await clock.advance(900)
    expect([deadline.elapsedMs(), deadline.leftMs()]).toEqual([1_200, 0])
  })

  it('passes during a freeze that the monotonic clock did not see', () => {
    const clock = new ManualClock()
    const deadline = new Deadline(clock, 1_000)
    clock.freeze(5_000, 0)
    expect(deadline.leftMs()).toBe(0)
  })

  it('is not put off when the epoch clock is set back', async () => {
    const clock = new ManualClock()
    const deadline = new Deadline(clock, 1_000)
    clock.setEpochBy(-60_000)
    await clock.advance(400)
    expect(deadline.leftMs()).toBe(600)
  })
})

describe('work within a limit', () => {
  it('resolves as the work does, and leaves no timer behind', async () => {
    const clock = new ManualClock()
    await expect(within(clock, 1_000, 'counting', async () => 42)).resolves.toBe(42)
    expect(clock.pendingCount).toBe(0)
  })

  it('rejects as the work does, with the very same error, and leaves no timer behind', async () => {
    const clock = new ManualClock()
    const error = new Error('the driver said so')
    const work = within(clock, 1_000, 'counting', () => Promise.reject(error))
    await expect(work).rejects.toBe(error)
    expect(clock.pendingCount).toBe(0)
  })

  it('rejects where the work throws before it returns a promise, and leaves no timer behind', async () => {
    const clock = new ManualClock()
    const error = new Error('not even begun')
    const work = within(clock, 1_000, 'counting', () => {
      throw error
    })
    await expect(work).rejects.toBe(error)
    expect(clock.pendingCount).toBe(0)
  })

  it('rejects at the limit even when the work ignores its signal', async () => {
    const clock = new ManualClock()
    const rejected = rejectionOf(within(clock, 1_000, 'counting', () => new Promise(() => undefined)))
    await clock.advance(1_000)
    const error = await rejected
    expect(LeaseholdError.is(error) && error.code).toBe('CONNECT_TIMEOUT')
    expect(error).toHaveProperty('message', 'counting took longer than 1000 ms')
  })

  it('takes an answer that can be read as soon as the limit is over: after a freeze both are due at once', async () => {
    const clock = new ManualClock()
    const answered = within(clock, 1_000, 'counting', async () => {
      await clock.sleep(1_000)
      return 'read after the timers, as sockets are'
    })
    await clock.advance(1_000)
    await expect(answered).resolves.toBe('read after the timers, as sockets are')
    expect(clock.pendingCount).toBe(0)
  })

  it('aborts the signal at the limit, and tells the work why', async () => {
    const clock = new ManualClock()
    let signal: AbortSignal | undefined
    const rejected = rejectionOf(
      within(clock, 50, 'counting', (given) => {
        signal = given
        return new Promise(() => undefined)
      }),
    )
    await clock.advance(49)
    expect(signal?.aborted).toBe(false)
    await clock.advance(1)
    expect(signal?.reason).toBe(await rejected)
  })

  it('never aborts the signal of work that was done in time', async () => {
    const clock = new ManualClock()
    let signal: AbortSignal | undefined
    await within(clock, 50, 'counting', async (given) => {
      signal = given
    })
    await clock.advance(1_000)
    expect(signal?.aborted).toBe(false)
  })

  it('keeps a rejection that arrives after the limit to itself', async () => {
    const clock = new ManualClock()
    const unhandled: unknown[] = []
    const listen = (error: unknown): void => void unhandled.push(error)
    process.on('unhandledRejection', listen)
    try {
      const rejected = rejectionOf(
        within(clock, 50, 'counting', async () => {
          await clock.sleep(80)
          throw new Error('too late')
        }),
      )
      await clock.advance(200)
      await rejected
      expect(unhandled).toEqual([])
    } finally {
      process.off('unhandledRejection', listen)
    }
  })
})
