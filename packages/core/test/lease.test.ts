import { describe, expect, it } from 'vitest'

import { Moment } from '../src/clock.ts'
import { Lease, leaseMarginMs } from '../src/lease.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'

describe('the margin of a lease', () => {
  it.each([
    [1_000, 100],
    [2_000, 200],
    [10_000, 1_000],
    [300_000, 1_000],
  ])('of %i ms is a tenth of it, at least 100 ms and at most 1 s: %i ms', (leaseMs, marginMs) => {
    expect(leaseMarginMs(leaseMs)).toBe(marginMs)
  })

  it('of a very short lease is 100 ms all the same', () => {
    expect(leaseMarginMs(300)).toBe(100)
  })
})

describe('a lease', () => {
  const granted = (leaseMs = 10_000): { clock: ManualClock; lease: Lease } => {
    const clock = new ManualClock()
    return { clock, lease: new Lease(clock, leaseMs, 'server') }
  }

  it('is usable until its margin begins', async () => {
    const { clock, lease } = granted()
    await clock.advance(8_999)
    expect(lease.usable()).toBe(true)
    await clock.advance(1)
    expect(lease.usable()).toBe(false)
  })

  it('lapses while the environment is frozen and its monotonic clock stands still', () => {
    const { clock, lease } = granted()
    clock.freeze(60_000, 0)
    expect(lease.usable()).toBe(false)
    expect(lease.idleMs()).toBe(60_000)
  })

  it('lapses though the epoch clock was set back', async () => {
    const { clock, lease } = granted()
    clock.setEpochBy(-86_400_000)
    await clock.advance(9_000)
    expect(lease.usable()).toBe(false)
  })

  it('starts again whenever the server answers', async () => {
    const { clock, lease } = granted()
    await clock.advance(8_000)
    lease.touch()
    await clock.advance(8_000)
    expect(lease.usable()).toBe(true)
    expect(lease.idleMs()).toBe(8_000)
  })

  it('starts again from the question where nobody knows when the answer came', () => {
    const { clock, lease } = granted()
    const sent = new Moment(clock)
    clock.freeze(8_500, 0)
    lease.touchSince(sent)
    expect(lease.idleMs()).toBe(8_500)
    clock.freeze(500, 0)
    expect(lease.usable()).toBe(false)
  })

  it('keeps its age when it is touched', async () => {
    const { clock, lease } = granted()
    await clock.advance(3_000)
    lease.touch()
    expect(lease.ageMs()).toBe(3_000)
  })

  it('of another length counts from the last answer, not from the grant', async () => {
    const { clock, lease } = granted(2_000)
    await clock.advance(1_000)
    lease.grant(300_000)
    expect(lease.leaseMs).toBe(300_000)
    expect(lease.idleMs()).toBe(1_000)
    await clock.advance(297_999)
    expect(lease.usable()).toBe(true)
    await clock.advance(1)
    expect(lease.usable()).toBe(false)
  })

  it('keeps its keeper when it is granted again, unless another is named', () => {
    const { lease } = granted()
    lease.grant(5_000)
    expect(lease.keeper).toBe('server')
    lease.grant(5_000, 'client')
    expect(lease.keeper).toBe('client')
  })
})
