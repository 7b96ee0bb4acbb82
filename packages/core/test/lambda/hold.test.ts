import { afterEach, describe, expect, it } from 'vitest'

import { Hold } from '../../src/lambda/hold.ts'
import { afterResponse, processWide } from '../../src/process-wide.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'

afterEach(() => {
  processWide().hold = undefined
})

/** Work that says when it begins, and ends when told. */
function work(): { begun: boolean; end: () => void; run: () => Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>()
  const one = {
    begun: false,
    end: resolve,
    run: () => {
      one.begun = true
      return promise
    },
  }
  return one
}

describe('what all copies in one process share', () => {
  it('is the same object for each of them', () => {
    const found = (globalThis as Record<symbol, unknown>)[Symbol.for('leasehold.process.1')]
    expect(processWide()).toBe(found)
  })
})

describe('work that is due after the response', () => {
  it('runs in the next turn where nothing holds the freeze off', async () => {
    const clock = new ManualClock()
    const due = work()
    afterResponse(clock, due.run)
    expect(due.begun).toBe(false)
    await clock.advance(0)
    expect(due.begun).toBe(true)
  })

  it('is put off while the freeze is held off, until that is released', async () => {
    const clock = new ManualClock()
    const hold = new Hold(clock)
    const due = work()
    hold.open()
    afterResponse(clock, due.run)
    await clock.advance(10)
    expect(due.begun).toBe(false)
    const released = hold.release(20)
    expect(due.begun).toBe(true)
    due.end()
    await released
    await clock.advance(0)
    expect(clock.pendingCount).toBe(0)
  })

  it('is waited for no longer than it may take', async () => {
    const clock = new ManualClock()
    const hold = new Hold(clock)
    hold.open()
    afterResponse(clock, work().run)
    let isReleased = false
    void hold.release(20).then(() => {
      isReleased = true
    })
    await clock.advance(19)
    expect(isReleased).toBe(false)
    await clock.advance(1)
    expect(isReleased).toBe(true)
  })

  it('is begun and not waited for where no time is left', async () => {
    const hold = new Hold(new ManualClock())
    const due = work()
    hold.open()
    processWide().hold?.(due.run)
    await hold.release(-5)
    expect(due.begun).toBe(true)
  })

  it('costs the release nothing where it fails', async () => {
    const hold = new Hold(new ManualClock())
    hold.open()
    processWide().hold?.(() => Promise.reject(new Error('no')))
    await expect(hold.release(20)).resolves.toBeUndefined()
  })

  it('is no longer put off once the freeze was let go', async () => {
    const clock = new ManualClock()
    const hold = new Hold(clock)
    hold.open()
    await hold.release(0)
    const due = work()
    afterResponse(clock, due.run)
    await clock.advance(0)
    expect(due.begun).toBe(true)
  })
})
