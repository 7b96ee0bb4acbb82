import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { contended } from '../src/policy.ts'
import { MOST_RECALLED, recallCount, recallPauseMs, type RecallState, recallTerms } from '../src/recall.ts'
import { ScriptedRandom } from '../src/testing/scripted-random.ts'
import { anyDurationMs, anyLimits, anyRandom, anyView, defaultLimits, viewWith } from './policy-inputs.ts'

const anyState: fc.Arbitrary<RecallState> = fc.record({
  view: anyView,
  pressedMs: anyDurationMs,
  wasRefused: fc.boolean(),
  sinceRecallMs: anyDurationMs,
  pauseMs: fc.nat({ max: 75_000 }),
})

/** Nothing speaks against a recall. */
const pressed: RecallState = {
  view: viewWith({ usedCount: 24, slotCount: 26 }),
  pressedMs: 60_000,
  wasRefused: true,
  sinceRecallMs: Number.POSITIVE_INFINITY,
  pauseMs: 0,
}

describe('how many sessions are recalled', () => {
  it('is never more than the bound, nor than what is above the target', () => {
    fc.assert(
      fc.property(anyState, anyLimits, (state, limits) => {
        const count = recallCount(state, limits)
        expect(Number.isInteger(count)).toBe(true)
        expect(count).toBeGreaterThanOrEqual(0)
        expect(count).toBeLessThanOrEqual(MOST_RECALLED)
        const leftCount = state.view.usedCount - count
        if (count > 0)
          expect(leftCount).toBeGreaterThanOrEqual(Math.floor(limits.targetPressure * state.view.slotCount))
      }),
    )
  })

  it('is none at or below the target, whoever waits', () => {
    fc.assert(
      fc.property(anyState, anyLimits, (state, limits) => {
        const { usedCount, slotCount } = state.view
        fc.pre(usedCount / slotCount <= limits.targetPressure)
        expect(recallCount(state, limits)).toBe(0)
      }),
    )
  })

  it('is none while pressure has only just risen and nobody is refused', () => {
    fc.assert(
      fc.property(anyState, anyLimits, fc.nat({ max: 999 }), (state, limits, pressedMs) => {
        fc.pre(!contended(state.view))
        expect(recallCount({ ...state, pressedMs, wasRefused: false }, limits)).toBe(0)
      }),
    )
  })

  it('is none until the pause since the last recall is over', () => {
    fc.assert(
      fc.property(anyState, anyLimits, (state, limits) => {
        fc.pre(state.sinceRecallMs < state.pauseMs)
        expect(recallCount(state, limits)).toBe(0)
      }),
    )
  })

  it('never falls when pressure rises', () => {
    fc.assert(
      fc.property(anyState, anyLimits, fc.nat({ max: 50 }), (state, limits, more) => {
        const view = { ...state.view, usedCount: state.view.usedCount + more }
        expect(recallCount({ ...state, view }, limits)).toBeGreaterThanOrEqual(recallCount(state, limits))
      }),
    )
  })

  it.each([
    ['somebody was refused', { pressedMs: 0, wasRefused: true }],
    ['it has lasted for a second', { pressedMs: 1_000, wasRefused: false }],
  ])('is what brings 24 of 26 back to the target of 20, where %s', (_why, given) => {
    expect(recallCount({ ...pressed, ...given }, defaultLimits)).toBe(4)
  })

  it('is what brings a full server back to the target, at once', () => {
    const view = viewWith({ usedCount: 26, slotCount: 26 })
    expect(recallCount({ ...pressed, view, pressedMs: 0, wasRefused: false }, defaultLimits)).toBe(6)
  })
})

describe('the pause after a recall', () => {
  it('is about half a second after one that ended something, and doubles with each that did not, up to a minute', () => {
    const random = new ScriptedRandom(0.5)
    expect([0, 1, 2, 5, 6, 100].map((fruitless) => recallPauseMs(fruitless, random))).toEqual([
      500, 1_000, 2_000, 16_000, 32_000, 60_000,
    ])
  })

  it('is jittered by a quarter', () => {
    fc.assert(
      fc.property(fc.nat({ max: 1_000 }), anyRandom, (fruitless, random) => {
        const pauseMs = recallPauseMs(fruitless, random)
        const middleMs = recallPauseMs(fruitless, new ScriptedRandom(0.5))
        expect(pauseMs).toBeGreaterThanOrEqual(0.75 * middleMs)
        expect(pauseMs).toBeLessThanOrEqual(1.25 * middleMs)
      }),
    )
  })
})

describe('the terms of a session', () => {
  it('let it be recalled only when its owner asks before using it, and nobody holds it', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 900_000 }),
        fc.option(fc.integer({ min: 1, max: 900_000 })),
        (pingMs, limitMs) => {
          const terms = recallTerms(pingMs, limitMs ?? undefined)
          expect(terms.afterIdleMs).toBeGreaterThanOrEqual(pingMs + 400)
          expect(terms.afterIdleMs).toBeGreaterThanOrEqual(1_500)
          expect(terms.afterIdleMs % 100).toBe(0)
          expect(terms.limitMs).toBeGreaterThanOrEqual(limitMs ?? 900_000)
          expect(terms.limitMs).toBeGreaterThanOrEqual(terms.afterIdleMs)
          expect(terms.limitMs % 1_000).toBe(0)
        },
      ),
    )
  })

  it('are these by default', () => {
    expect(recallTerms(1_000, undefined)).toEqual({ afterIdleMs: 1_500, limitMs: 900_000 })
  })
})
