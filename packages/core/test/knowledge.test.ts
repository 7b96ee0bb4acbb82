import { describe, expect, it } from 'vitest'

import { formatLabel } from '../src/label.ts'
import { Lease } from '../src/lease.ts'
import { census, setScene } from './scene.ts'

describe('what an environment knows of the fleet', () => {
  it('is nothing before the first census', () => {
    const { knowledge, clock } = setScene()
    expect(knowledge.view).toBeUndefined()
    expect(knowledge.pressure).toBeUndefined()
    expect(knowledge.viewAgeMs).toBe(Number.POSITIVE_INFINITY)
    expect(knowledge.censusDue(new Lease(clock, 2_000, 'server'))).toBe(true)
    expect([knowledge.isCalm, knowledge.isContended]).toEqual([false, false])
  })

  it('is the newest census, and how old it is', async () => {
    const { knowledge, clock } = setScene()
    knowledge.learn(census(5, 26))
    await clock.advance(10)
    knowledge.learn(census(13, 26))
    clock.freeze(1_000, 0)
    expect(knowledge.view).toMatchObject({ usedCount: 13, slotCount: 26 })
    expect(knowledge.pressure).toBe(0.5)
    expect(knowledge.viewAgeMs).toBe(1_000)
  })

  it('says whether the fleet is calm or contended', () => {
    const { knowledge } = setScene()
    knowledge.learn(census(5, 26))
    expect([knowledge.isCalm, knowledge.isContended]).toEqual([true, false])
    knowledge.learn(census(24, 26))
    expect([knowledge.isCalm, knowledge.isContended]).toEqual([false, false])
    knowledge.learn(census(26, 26))
    expect([knowledge.isCalm, knowledge.isContended]).toEqual([false, true])
  })

  it('has the refusals since the census before, not since the server started', () => {
    const { knowledge } = setScene()
    expect(knowledge.learn(census(5, 26, { refusedCount: 90 })).waiting).toBe(false)
    expect(knowledge.learn(census(5, 26, { refusedCount: 91 })).waiting).toBe(true)
    expect(knowledge.learn(census(5, 26, { refusedCount: 91 })).waiting).toBe(false)
  })

  it('reads the labels of its own fleet by its own clock', () => {
    const { knowledge, clock } = setScene({ fleet: 'shop' })
    const label = { name: 'checkout', waitedMs: 300, openedEpochMs: clock.epochMs() - 500 }
    const labels = [formatLabel({ ...label, fleet: 'shop' }), formatLabel({ ...label, fleet: 'other' })]
    expect(knowledge.learn(census(5, 26, { labels }))).toMatchObject({ fleetCount: 1, typicalWaitMs: 300 })
  })
})

describe('the next census', () => {
  it('is due when the server has answered a jittered interval after the last', async () => {
    const { knowledge, clock } = setScene({ censusEveryMs: 2_000 })
    const lease = new Lease(clock, 60_000, 'server')
    knowledge.learn(census(5, 26))
    await clock.advance(1_999)
    lease.touch()
    expect(knowledge.censusDue(lease)).toBe(false)
    await clock.advance(1)
    lease.touch()
    expect(knowledge.censusDue(lease)).toBe(true)
  })

  it('is due sooner where slots are plenty, but newcomers had to wait, or a fleet may be starting', async () => {
    const { knowledge, clock } = setScene({ censusEveryMs: 2_000, fleet: 'shop' })
    const lease = new Lease(clock, 60_000, 'server')
    const dueAfter = async (ms: number): Promise<boolean> => {
      await clock.advance(ms - 1)
      lease.touch()
      expect(knowledge.censusDue(lease)).toBe(false)
      await clock.advance(1)
      lease.touch()
      return knowledge.censusDue(lease)
    }
    const openedEpochMs = clock.epochMs()
    const labels = [formatLabel({ name: 'checkout', fleet: 'shop', waitedMs: 300, openedEpochMs })]
    knowledge.learn(census(5, 26, { labels }))
    expect(await dueAfter(500)).toBe(true)
    knowledge.learn(census(5, 26), undefined, true)
    expect(await dueAfter(300)).toBe(true)
    // On a full server a session's own quantum says when to look.
    knowledge.learn(census(26, 26, { labels }))
    expect(await dueAfter(2_000)).toBe(true)
  })

  it('is due after a freeze that the monotonic clock did not see', () => {
    const { knowledge, clock } = setScene({ censusEveryMs: 2_000 })
    const lease = new Lease(clock, 60_000, 'server')
    knowledge.learn(census(5, 26))
    clock.freeze(10_000, 0)
    lease.touch()
    expect(knowledge.censusDue(lease)).toBe(true)
  })
})

describe('the next census on a clock that was set back', () => {
  it('is due by the monotonic clock', async () => {
    const { knowledge, clock } = setScene({ censusEveryMs: 2_000 })
    const lease = new Lease(clock, 60_000, 'server')
    knowledge.learn(census(5, 26))
    clock.setEpochBy(-3_600_000)
    await clock.advance(2_000)
    lease.touch()
    expect(knowledge.censusDue(lease)).toBe(true)
  })
})

describe('the gap between uses', () => {
  it('is the mean of those seen, the newest counting for half', () => {
    const { knowledge } = setScene()
    knowledge.sawGap(100)
    expect(knowledge.gapMs).toBe(50)
    knowledge.sawGap(100)
    expect(knowledge.gapMs).toBe(75)
    knowledge.sawGap(0)
    expect(knowledge.gapMs).toBe(37.5)
  })

  it('goes on when the idle connection goes, until another is opened', async () => {
    const { knowledge, clock } = setScene()
    const lease = new Lease(clock, 2_000, 'server')
    await clock.advance(50)
    knowledge.sawEnd(lease)
    clock.freeze(50, 0)
    knowledge.sawReturn()
    expect(knowledge.gapMs).toBe(50)
  })

  it('gets short again for an environment that yields every time and is back at once', async () => {
    const { knowledge, clock } = setScene()
    knowledge.sawGap(10_000)
    for (let use = 0; use < 12; use += 1) {
      knowledge.sawEnd(new Lease(clock, 2_000, 'server'))
      await clock.advance(2)
      knowledge.sawReturn()
    }
    expect(knowledge.gapMs).toBeLessThan(5)
  })

  it('is seen once, however many connections are opened afterwards', async () => {
    const { knowledge, clock } = setScene()
    knowledge.sawEnd(new Lease(clock, 2_000, 'server'))
    await clock.advance(100)
    knowledge.sawReturn()
    await clock.advance(5_000)
    knowledge.sawReturn()
    expect(knowledge.gapMs).toBe(50)
  })

  it('is over when another connection is used', async () => {
    const { knowledge, clock } = setScene()
    knowledge.sawEnd(new Lease(clock, 2_000, 'server'))
    knowledge.sawGap(0)
    await clock.advance(5_000)
    knowledge.sawReturn()
    expect(knowledge.gapMs).toBe(0)
  })
})

describe('the time a connect takes', () => {
  it('is the mean of the successful ones, the newest counting for half, and 0 before the first', () => {
    const { knowledge } = setScene()
    expect(knowledge.connectMs).toBe(0)
    knowledge.sawConnect(8)
    expect(knowledge.connectMs).toBe(8)
    knowledge.sawConnect(4)
    expect(knowledge.connectMs).toBe(6)
  })
})

describe('the time since a yield', () => {
  it('is unknown to whoever has not yielded', () => {
    expect(setScene().knowledge.sinceYieldMs()).toBeUndefined()
  })

  it('counts from the yield, and through a freeze', () => {
    const { knowledge, clock } = setScene()
    knowledge.sawYield()
    clock.freeze(700, 0)
    expect(knowledge.sinceYieldMs()).toBe(700)
  })

  it('is nobody’s business in the invocation that yielded: no courtesy is owed to oneself', () => {
    const { knowledge, env } = setScene({}, { _X_AMZN_TRACE_ID: 'first' })
    knowledge.sawYield()
    expect(knowledge.sinceYieldMs()).toBeUndefined()
    env['_X_AMZN_TRACE_ID'] = 'second'
    expect(knowledge.sinceYieldMs()).toBe(0)
  })

  it('counts at once where no invocation can be told from the next', () => {
    const { knowledge } = setScene({}, { _X_AMZN_TRACE_ID: 'first', AWS_LAMBDA_MAX_CONCURRENCY: '8' })
    knowledge.sawYield()
    expect(knowledge.sinceYieldMs()).toBe(0)
  })
})
