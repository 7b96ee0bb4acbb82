import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import {
  firstDelayMs,
  type Known,
  type NewcomerState,
  nextDelayMs,
  type WaitingState,
} from '../src/policy-waiting.ts'
import type { PolicyLimits } from '../src/policy.ts'
import type { Random } from '../src/random.ts'
import { ScriptedRandom } from '../src/testing/scripted-random.ts'
import {
  anyDurationMs,
  anyLimits,
  anyRandom,
  anyViewOrNone,
  defaultLimits,
  viewWith,
} from './policy-inputs.ts'

const knownParts = { view: anyViewOrNone, viewAgeMs: anyDurationMs }
const anyKnown: fc.Arbitrary<Known> = fc.record(knownParts)
const anyNewcomer: fc.Arbitrary<NewcomerState> = fc.record({
  ...knownParts,
  sinceYieldMs: fc.option(anyDurationMs, { nil: undefined }),
  turnMs: fc.option(anyDurationMs, { nil: undefined }),
  gapMs: anyDurationMs,
  connectMs: fc.double({ min: 0, max: 30_000, noNaN: true }),
})
const anyWaiting: fc.Arbitrary<WaitingState> = fc.record({
  ...knownParts,
  waitedMs: fc.double({ min: 0, max: 1_000_000, noNaN: true }),
  attempts: fc.integer({ min: 1, max: 100_000 }),
  attemptMs: fc.double({ min: 0, max: 300_000, noNaN: true }),
  turnMs: fc.option(anyDurationMs, { nil: undefined }),
  refused: fc.boolean(),
  leftMs: fc.double({ min: 0, max: 900_000, noNaN: true }),
})

const waiting: WaitingState = {
  view: undefined,
  viewAgeMs: Number.POSITIVE_INFINITY,
  waitedMs: 5,
  turnMs: undefined,
  attempts: 1,
  attemptMs: 2,
  refused: true,
  leftMs: 10_000,
}
const delay = (given: Partial<WaitingState>, draw = 0.5): number | undefined =>
  nextDelayMs({ ...waiting, ...given }, defaultLimits, new ScriptedRandom(draw))

describe('the courtesy before a first attempt', () => {
  it('is bounded by the fleet’s wait, and never negative', () => {
    fc.assert(
      fc.property(anyNewcomer, anyRandom, (state, random) => {
        const delayMs = firstDelayMs(state, random)
        expect(delayMs).toBeGreaterThanOrEqual(0)
        expect(delayMs).toBeLessThanOrEqual(Math.max(state.view?.typicalWaitMs ?? 450, state.turnMs ?? 0))
      }),
    )
  })

  it('is owed by nobody who has not yielded lately', () => {
    fc.assert(
      fc.property(anyNewcomer, anyRandom, (state, random) => {
        expect(firstDelayMs({ ...state, sinceYieldMs: undefined }, random)).toBe(0)
        expect(firstDelayMs({ ...state, sinceYieldMs: 5_001 }, random)).toBe(0)
        expect(firstDelayMs({ ...state, view: undefined }, random)).toBe(0)
      }),
    )
  })

  /** It yielded 100 ms ago on a busy server where newcomers wait half a second. */
  const yielder: NewcomerState = {
    view: viewWith({ usedCount: 25, waiting: true, typicalWaitMs: 500 }),
    viewAgeMs: 100,
    sinceYieldMs: 100,
    turnMs: undefined,
    gapMs: 2,
    connectMs: 4,
  }
  const courtesy = (given: Partial<NewcomerState>, draw: number): number =>
    firstDelayMs({ ...yielder, ...given }, new ScriptedRandom(draw))

  it('is 0.7 to 0.9 of the fleet’s wait, less the time since the yield', () => {
    expect(courtesy({}, 0)).toBeCloseTo(250)
    expect(courtesy({}, 0.999_999)).toBeCloseTo(350, 1)
    expect(courtesy({ sinceYieldMs: 501 }, 0.999)).toBe(0)
  })

  it('is his last turn, drawn towards the fleet’s wait and a little sooner, for whoever had to wait then', () => {
    // 0.96 of 0.6 of the turn and 0.4 of the wait.
    expect(courtesy({ turnMs: 1_000, sinceYieldMs: 0 }, 0)).toBeCloseTo(768)
    expect(courtesy({ turnMs: 1_000, sinceYieldMs: 0 }, 0.9)).toBeCloseTo(768)
    expect(courtesy({ turnMs: 1_000, sinceYieldMs: 800 }, 0)).toBe(0)
  })

  it('is the fleet’s wait alone where waits are long', () => {
    const view = viewWith({ usedCount: 26, waiting: true, typicalWaitMs: 2_001 })
    expect(courtesy({ view, turnMs: 1_000, sinceYieldMs: 0 }, 0)).toBeCloseTo(1_400.7)
    expect(courtesy({ turnMs: 2_001, sinceYieldMs: 0 }, 0)).toBeCloseTo(350)
  })

  it('is guessed where the server shows that newcomers wait, but not for how long', () => {
    const view = viewWith({ usedCount: 25, waiting: true })
    expect(courtesy({ view, sinceYieldMs: 0 }, 0.5)).toBeCloseTo(320)
  })

  it('is owed on a full server too, where nobody can say whether anybody waits', () => {
    const full = viewWith({ usedCount: 26, slotCount: 26 })
    expect(courtesy({ view: full, sinceYieldMs: 0 }, 0.5)).toBeCloseTo(360)
    expect(courtesy({ view: { ...full, usedCount: 25 }, sinceYieldMs: 0 }, 0.5)).toBe(0)
  })

  it('is not owed by whoever left for the length of his own gaps, nor where a fifth of the slots is free', () => {
    expect(courtesy({ gapMs: 51 }, 0.5)).toBe(0)
    expect(courtesy({ view: viewWith({ usedCount: 20, waiting: true, typicalWaitMs: 500 }) }, 0.5)).toBe(0)
  })
})

describe('the delay before the next attempt', () => {
  it('is never negative and never longer than the time left, whatever is known', () => {
    fc.assert(
      fc.property(anyWaiting, anyLimits, anyRandom, (state, limits, random) => {
        const delayMs = nextDelayMs(state, limits, random)
        if (delayMs === undefined) return
        expect(delayMs).toBeGreaterThan(0)
        expect(delayMs).toBeLessThan(state.leftMs)
      }),
      { numRuns: 1_000 },
    )
  })

  it('leaves 300 ms for a last attempt as long as there are 300 ms to leave', () => {
    fc.assert(
      fc.property(anyWaiting, anyLimits, anyRandom, (state, limits, random) => {
        fc.pre(state.leftMs > 300)
        expect(nextDelayMs(state, limits, random)).toBeLessThanOrEqual(state.leftMs - 300)
      }),
    )
  })

  it('is none when hardly any time is left', () => {
    expect(delay({ leftMs: 20 })).toBeUndefined()
    expect(delay({ leftMs: 0 })).toBeUndefined()
  })

  it('is at least 20 ms while there is time', () => {
    fc.assert(
      fc.property(anyWaiting, anyLimits, anyRandom, (state, limits, random) => {
        fc.pre(state.leftMs >= 320)
        expect(nextDelayMs(state, limits, random)).toBeGreaterThanOrEqual(20)
      }),
    )
  })

  it('grows over the first attempts and then stays under its cap where the fleet’s wait is not known', () => {
    const delays = [1, 2, 3, 4, 5, 50].map((attempts) => delay({ attempts }))
    expect(delays).toEqual([80, 128, 204.8, 300, 300, 300].map((ms) => expect.closeTo(ms)))
  })

  it('is drawn from a window of half to one and a half, so that a herd spreads', () => {
    expect(delay({ attempts: 9 }, 0)).toBe(150)
    expect(delay({ attempts: 9 }, 0.999_999)).toBeCloseTo(450, 1)
  })

  it('gets denser as the deadline nears where the fleet’s wait is not known', () => {
    expect(delay({ attempts: 9, leftMs: 1_600 })).toBeCloseTo(200)
    expect(delay({ attempts: 9, leftMs: 800 })).toBeCloseTo(100)
  })

  it('gets denser with age where the fleet’s wait is known, so that the queue is nearly in order', () => {
    const known = { view: viewWith({ waiting: true, typicalWaitMs: 800 }), viewAgeMs: 100 }
    expect(delay({ ...known, waitedMs: 400 })).toBeCloseTo(266.7, 1)
    expect(delay({ ...known, waitedMs: 800 })).toBeCloseTo(133.3, 1)
    expect(delay({ ...known, waitedMs: 8_000 })).toBeCloseTo(33.3, 1)
  })

  describe('of whoever came in his own turn and was refused', () => {
    const known = { view: viewWith({ waiting: true, typicalWaitMs: 800 }), viewAgeMs: 100, waitedMs: 800 }

    it('is short, for he was early by little', () => {
      expect(delay({ ...known, turnMs: 900 })).toBeCloseTo(800 / 14, 1)
      expect(delay({ ...known, turnMs: 900, attempts: 2, attemptMs: 40 })).toBeCloseTo(200)
      expect(delay({ ...known, turnMs: undefined, attempts: 2, attemptMs: 40 })).toBeCloseTo(320)
    })

    it('is the usual one once he is late by half a wait, and where waits are long', () => {
      const late = { ...known, waitedMs: 1_200 }
      expect(delay({ ...late, turnMs: 900 })).toBe(delay(late))
      expect(delay({ ...known, turnMs: 2_001 })).toBe(delay(known))
    })

    it('is the usual one where the fleet’s wait is not known', () => {
      expect(delay({ turnMs: 900 })).toBe(delay({}))
    })
  })

  it('does not act on a wait that was known long ago', () => {
    const view = viewWith({ waiting: true, typicalWaitMs: 800 })
    expect(delay({ view, viewAgeMs: 8_001 })).toBe(delay({}))
  })

  it('acts the longer on a wait the longer the waits are', () => {
    const view = viewWith({ waiting: true, typicalWaitMs: 9_000 })
    const old = { view, waitedMs: 9_000, leftMs: 60_000 }
    expect(delay({ ...old, viewAgeMs: 17_999 })).toBe(1_500)
    expect(delay({ ...old, viewAgeMs: 18_001 })).toBe(delay({ leftMs: 60_000 }))
  })

  it('takes no more than a sixth of the time that is left, however long the fleet’s wait', () => {
    const known = { view: viewWith({ waiting: true, typicalWaitMs: 9_000 }), viewAgeMs: 100, waitedMs: 9_000 }
    expect(delay({ ...known, leftMs: 3_000 })).toBe(500)
    expect(delay({ ...known, leftMs: 330 })).toBeCloseTo(30)
  })

  it('rests a multiple of what a refusal took, because a refusal costs the server too', () => {
    expect(delay({ attempts: 2, attemptMs: 100, waitedMs: 500 })).toBe(800)
  })

  it('rests less who has waited longer than is usual, and more who has not', () => {
    const rest = (waitedMs: number, typicalWaitMs?: number): number | undefined =>
      delay({
        attempts: 2,
        attemptMs: 200,
        waitedMs,
        view: viewWith({ waiting: true, typicalWaitMs }),
        viewAgeMs: 100,
      })
    expect(rest(2_000, 2_000)).toBe(1_600)
    expect(rest(2_000, 1_000)).toBe(800)
    expect(rest(50_000, 500)).toBe(480)
    expect(rest(1_000, 2_000)).toBe(3_200)
    expect(rest(10, 2_000)).toBe(6_400)
    // Where it is not known, half a second is.
    expect(rest(500)).toBe(1_600)
  })

  it('rests for long where a refusal takes long, so that a server that drowns in attempts comes up again', () => {
    const rest = (attemptMs: number, given: Partial<WaitingState> = {}): number | undefined =>
      delay({ attempts: 2, attemptMs, waitedMs: 500, leftMs: 60_000, ...given })
    expect(rest(200)).toBe(1_600)
    expect(rest(400)).toBe(6_400)
    expect(rest(600)).toBe(14_400)
    // And is back in time.
    expect(rest(600, { leftMs: 8_000 })).toBe(4_000)
    // An attempt that nobody answered says nothing of slots.
    expect(rest(600, { refused: false })).toBe(2_400)
  })

  it('rests less after the first, which may have been slow for being cold', () => {
    expect(delay({ attempts: 1, attemptMs: 1_000 })).toBe(300)
  })
})

/** Attempts that always fail, each `attemptMs` long, until the policy gives up. */
function attemptsUntilGivingUp(
  budgetMs: number,
  attemptMs: number,
  known: Known,
  limits: PolicyLimits,
  random: Random,
): readonly number[] {
  const startedAtMs: number[] = []
  let nowMs = 0
  for (;;) {
    startedAtMs.push(nowMs)
    if (startedAtMs.length > 10_000) throw new Error('it never ends')
    nowMs += attemptMs
    const delayMs = nextDelayMs(
      {
        ...known,
        waitedMs: nowMs,
        turnMs: undefined,
        attempts: startedAtMs.length,
        attemptMs,
        refused: true,
        leftMs: Math.max(0, budgetMs - nowMs),
      },
      limits,
      random,
    )
    if (delayMs === undefined) return startedAtMs
    nowMs += delayMs
  }
}

describe('a newcomer that is never let in', () => {
  const budgets = fc.double({ min: 0, max: 60_000, noNaN: true })

  it('gives up, and starts no attempt after its deadline', () => {
    fc.assert(
      fc.property(
        budgets,
        fc.double({ min: 0, max: 5_000, noNaN: true }),
        anyNewcomer,
        anyLimits,
        anyRandom,
        (budgetMs, attemptMs, known, limits, random) => {
          const startedAtMs = attemptsUntilGivingUp(budgetMs, attemptMs, known, limits, random)
          expect(startedAtMs.at(-1)).toBeLessThanOrEqual(budgetMs)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('makes an attempt within the last 300 ms before its deadline', () => {
    fc.assert(
      fc.property(budgets, anyKnown, anyLimits, anyRandom, (budgetMs, known, limits, random) => {
        const last = attemptsUntilGivingUp(budgetMs, 0, known, limits, random).at(-1)
        expect(last).toBeGreaterThanOrEqual(budgetMs - 300.001)
      }),
      { numRuns: 300 },
    )
  })

  it('asks a full server some tens of times in ten seconds, not hundreds', () => {
    const known = { view: undefined, viewAgeMs: Number.POSITIVE_INFINITY }
    const attempts = attemptsUntilGivingUp(10_000, 2, known, defaultLimits, new ScriptedRandom(0.5))
    expect(attempts.length).toBeGreaterThan(20)
    expect(attempts.length).toBeLessThan(80)
  })
})
