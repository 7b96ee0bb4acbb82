import { describe, expect, it } from 'vitest'

import { failureDetails, LeaseholdError } from '../src/errors.ts'
import type { Attempt } from '../src/open.ts'
import type { FakeServerError } from '../src/testing/fake-errors.ts'
import { failure, waitedHalfASecond, opening, refuse, refuseAfter, hang } from './opening.ts'
import { census, rejectionOf, type Scene } from './scene.ts'

describe('opening a connection', () => {
  it('resolves with what the first attempt brought, and leaves no timer behind', async () => {
    const { result, attempts, stats, clock } = opening({}, [() => 'session'])
    await expect(result).resolves.toBe('session')
    expect(attempts).toMatchObject([{ publishedWaitMs: 0, wasRefused: false }])
    expect(stats).toMatchObject({ attempts: 1, refused: 0, gaveUp: 0 })
    expect(clock.pendingCount).toBe(0)
  })

  it('backs off while no slot is free, and takes the first that is', async () => {
    const refused = refuse('FAKE_NO_SLOT')
    const { result, attempts, stats, clock } = opening({}, [refused, refused, () => 'session'])
    await clock.advance(1_000)
    await expect(result).resolves.toBe('session')
    expect(attempts).toHaveLength(3)
    expect(stats).toMatchObject({ attempts: 3, refused: 2, gaveUp: 0 })
    expect(clock.pendingCount).toBe(0)
  })

  it('tells the fleet how long it waited for its slot', async () => {
    const { result, attempts, clock } = opening({}, [refuse('FAKE_NO_SLOT'), () => 'session'])
    const startMs = clock.monotonicMs()
    await clock.advance(79)
    expect(attempts).toHaveLength(1)
    await clock.advance(1)
    await result
    expect(attempts[1]).toMatchObject({ wasRefused: true, publishedWaitMs: clock.monotonicMs() - startMs })
  })

  it('tells the fleet nothing of a wait for a server that was starting: nobody held a slot', async () => {
    const starting = refuse('FAKE_STARTING')
    const { result, attempts, clock } = opening({}, [starting, starting, starting, () => 'session'])
    await clock.advance(2_000)
    await result
    expect(attempts).toHaveLength(4)
    expect(attempts.map(({ publishedWaitMs }) => publishedWaitMs)).toEqual([0, 0, 0, 0])
  })

  it('tells the fleet of the wait for a slot alone where the server had to start first', async () => {
    const answers = [refuseAfter(5_000, 'FAKE_STARTING'), refuse('FAKE_NO_SLOT'), () => 'session']
    const { result, attempts, clock } = opening({ connectTimeoutMs: 6_000 }, answers)
    await clock.advance(10_000)
    await result
    expect(attempts[2]?.publishedWaitMs).toBeGreaterThan(0)
    expect(attempts[2]?.publishedWaitMs).toBeLessThan(500)
  })
})

describe('a wait for a slot', () => {
  it('ends at its deadline with the very error of the last refusal', async () => {
    const errors: FakeServerError[] = []
    const { result, clock } = opening({ acquireTimeoutMs: 3_000 }, [
      () => {
        errors.push(failure('FAKE_NO_SLOT'))
        throw errors.at(-1)
      },
    ])
    const rejected = rejectionOf(result)
    await clock.advance(3_000)
    expect(await rejected).toBe(errors.at(-1))
    expect(errors.length).toBeGreaterThan(5)
  })

  it('says on that error what happened, and leaves its own fields alone', async () => {
    const { result, attempts, stats, clock } = opening({ acquireTimeoutMs: 3_000 }, [refuse('FAKE_NO_SLOT')])
    await clock.advance(3_000)
    const error = await rejectionOf(result)
    expect(error).toMatchObject({ code: 'FAKE_NO_SLOT', name: 'FakeServerError' })
    expect(Object.keys(error as object)).not.toContain('leasehold')
    const details = failureDetails(error)
    expect(details).toMatchObject({ kind: 'saturated', attempts: attempts.length, pressure: undefined })
    expect(details?.waitedMs).toBeGreaterThan(2_700)
    expect(details?.waitedMs).toBeLessThanOrEqual(3_000)
    expect(stats.gaveUp).toBe(1)
    expect(clock.pendingCount).toBe(0)
  })

  it('does not outlast a freeze: what is left is judged by the wall clock', async () => {
    const { result, clock } = opening({ acquireTimeoutMs: 3_000 }, [refuse('FAKE_NO_SLOT')])
    const rejected = rejectionOf(result)
    await clock.advance(100)
    clock.freeze(60_000, 0)
    await clock.advance(500)
    expect(failureDetails(await rejected)?.waitedMs).toBeGreaterThan(60_000)
  })

  it('passes an error that cannot be annotated through untouched', async () => {
    const error = Object.freeze(failure('FAKE_NO_SLOT'))
    const { result, clock } = opening({ acquireTimeoutMs: 1_000 }, [() => Promise.reject(error)])
    const rejected = rejectionOf(result)
    await clock.advance(1_000)
    expect(await rejected).toBe(error)
  })

  it('begins with a courtesy where this environment yielded in an earlier invocation', async () => {
    const { result, attempts, clock } = opening({}, [() => 'session'], undefined, ({ knowledge }) => {
      knowledge.learn(census(26, 26, { labels: [waitedHalfASecond] }))
      knowledge.sawYield()
    })
    await clock.advance(399)
    expect(attempts).toHaveLength(0)
    await clock.advance(1)
    await result
    expect(attempts).toMatchObject([
      { wasRefused: false, publishedWaitMs: expect.closeTo(400), queued: true },
    ])
  })

  it('is remembered from the yield to the attempt that was let in, where it began with a courtesy', async () => {
    let letInMs = 0
    const letIn = (_attempt: Attempt, scene: Scene): string => {
      letInMs = scene.clock.monotonicMs()
      return 'session'
    }
    const prepare = ({ knowledge }: Scene): void => {
      knowledge.learn(census(26, 26, { labels: [waitedHalfASecond] }))
      knowledge.sawYield()
    }
    const { result, clock, knowledge } = opening({}, [refuse('FAKE_NO_SLOT'), letIn], undefined, prepare)
    const startMs = clock.monotonicMs()
    await clock.advance(2_000)
    await result
    expect(letInMs - startMs).toBeGreaterThan(400)
    expect(knowledge.turnMs).toBeCloseTo(letInMs - startMs)
  })

  it('is not remembered where no courtesy was owed', async () => {
    const prepare = ({ knowledge }: Scene): void => knowledge.sawTurn(700)
    const answers = [refuse('FAKE_NO_SLOT'), () => 'session']
    const { result, clock, knowledge } = opening({}, answers, undefined, prepare)
    await clock.advance(2_000)
    await result
    expect(knowledge.turnMs).toBeUndefined()
  })
})

describe('a server that is starting or cannot be reached', () => {
  it.each(['FAKE_STARTING', 'FAKE_RESET'] as const)(
    'is waited for beyond the wait for a slot: %s',
    async (code) => {
      const upAtMs = 8_000
      const { result, clock } = opening({ acquireTimeoutMs: 1_000, resumeBudgetMs: 20_000 }, [
        (_attempt, scene) => {
          if (scene.clock.monotonicMs() < 1_000 + upAtMs) throw failure(code)
          return 'session'
        },
      ])
      await clock.advance(upAtMs + 500)
      await expect(result).resolves.toBe('session')
    },
  )

  it('is waited for no longer than the resume budget', async () => {
    const { result, clock } = opening({ resumeBudgetMs: 4_000 }, [refuse('FAKE_STARTING')])
    const rejected = rejectionOf(result)
    await clock.advance(4_000)
    expect(failureDetails(await rejected)).toMatchObject({ kind: 'starting' })
    expect(clock.pendingCount).toBe(0)
  })

  it('is not waited for at all where the resume budget is 0', async () => {
    const { result, attempts, stats } = opening({ resumeBudgetMs: 0 }, [refuse('FAKE_STARTING')])
    expect(await rejectionOf(result)).toMatchObject({ code: 'FAKE_STARTING' })
    expect(attempts).toHaveLength(1)
    expect(stats.gaveUp).toBe(1)
  })
})

describe('an attempt', () => {
  it('is cut at its limit and made again', async () => {
    const { result, attempts, clock } = opening({ connectTimeoutMs: 700 }, [hang, () => 'session'])
    await clock.advance(699)
    expect(attempts[0]?.signal.aborted).toBe(false)
    await clock.advance(1)
    expect(attempts[0]?.signal.aborted).toBe(true)
    await clock.advance(5_000)
    await expect(result).resolves.toBe('session')
  })

  it('is cut at its limit where the caller may abort it, too', async () => {
    const { result, attempts, clock } = opening(
      { connectTimeoutMs: 700 },
      [hang, () => 'session'],
      new AbortController().signal,
    )
    await clock.advance(700)
    expect(attempts[0]?.signal.aborted).toBe(true)
    await clock.advance(5_000)
    await expect(result).resolves.toBe('session')
  })

  it('that succeeds is remembered by what it took, without the waits before it', async () => {
    const { result, knowledge, clock } = opening({}, [
      refuse('FAKE_NO_SLOT'),
      async (_attempt, scene) => {
        await scene.clock.sleep(7)
        return 'session'
      },
    ])
    await clock.advance(1_000)
    await result
    expect(knowledge.connectMs).toBe(7)
  })

  it('surfaces as CONNECT_TIMEOUT where there is no time for another', async () => {
    const { result, clock } = opening({ connectTimeoutMs: 700, resumeBudgetMs: 0 }, [hang])
    const rejected = rejectionOf(result)
    await clock.advance(700)
    const error = await rejected
    expect(LeaseholdError.is(error) && error.code).toBe('CONNECT_TIMEOUT')
    expect(failureDetails(error)).toMatchObject({ kind: 'starting', attempts: 1, waitedMs: 700 })
  })

  it('is cut at its limit even where the driver does not listen, and a late session finds the signal aborted', async () => {
    const late: { aborted: boolean }[] = []
    const { result, clock } = opening({ connectTimeoutMs: 700 }, [
      async ({ signal }, scene) => {
        await scene.clock.sleep(900)
        late.push({ aborted: signal.aborted })
        return 'late'
      },
      () => 'session',
    ])
    await clock.advance(10_000)
    await expect(result).resolves.toBe('session')
    expect(late).toEqual([{ aborted: true }])
  })

  it('gets no more time than there is', async () => {
    const { result, clock } = opening(
      { connectTimeoutMs: 60_000, acquireTimeoutMs: 500, resumeBudgetMs: 800 },
      [hang],
    )
    const rejected = rejectionOf(result)
    await clock.advance(800)
    expect(failureDetails(await rejected)?.waitedMs).toBe(800)
  })

  it.each([
    ['FAKE_WRONG_PASSWORD', 'auth'],
    ['FAKE_STATEMENT_FAILED', 'fatal'],
    ['FAKE_READ_ONLY', 'read-only'],
    ['FAKE_DEADLOCK', 'transient'],
  ] as const)('that fails with %s surfaces at once, untouched but for its details', async (code, kind) => {
    const error = failure(code)
    const { result, attempts, logger, stats } = opening({}, [() => Promise.reject(error)])
    expect(await rejectionOf(result)).toBe(error)
    expect(attempts).toHaveLength(1)
    expect(failureDetails(error)).toMatchObject({ kind, attempts: 1, waitedMs: 0 })
    expect(stats.gaveUp).toBe(0)
    expect(logger.errors).toEqual([])
  })

  it.each([
    ['a string', 'thrown as it is'],
    ['undefined', undefined],
    ['an error of ours that is not about time', new LeaseholdError('UNSUPPORTED_DRIVER', 'no')],
  ])('that throws %s is not made again', async (_what, thrown) => {
    const { result, attempts } = opening({}, [() => Promise.reject(thrown)])
    await expect(result).rejects.toBe(thrown)
    expect(attempts).toHaveLength(1)
  })
})
