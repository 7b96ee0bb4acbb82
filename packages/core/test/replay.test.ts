import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { type FailedStatement, type Failure, fateOf, replayDelayMs } from '../src/replay.ts'
import { ScriptedRandom } from '../src/testing/scripted-random.ts'

const FAILURES: readonly Failure[] = ['unsent', 'unread', 'ambiguous', 'refused', 'answered']

const failed: fc.Arbitrary<FailedStatement> = fc.record({
  failure: fc.constantFrom(...FAILURES),
  idempotent: fc.boolean(),
  sentCount: fc.integer({ min: 1, max: 20 }),
  mayHaveRun: fc.boolean(),
  delayMs: fc.integer({ min: 0, max: 500 }),
  leftMs: fc.integer({ min: 0, max: 30_000 }),
})

describe('a statement that failed', () => {
  it('is never sent again where it may have run, unless it may run twice', () => {
    fc.assert(
      fc.property(failed, (state) => {
        const { resend, mayHaveRun } = fateOf(state)
        expect(resend && mayHaveRun && !state.idempotent).toBe(false)
      }),
    )
  })

  it('is never sent again unless it was not read, or may run twice', () => {
    fc.assert(
      fc.property(failed, (state) => {
        if (!fateOf(state).resend) return
        expect(state.idempotent || state.failure === 'unread').toBe(true)
      }),
    )
  })

  it('is never sent again where the server answered it, or where no connection was to be had', () => {
    fc.assert(
      fc.property(failed, fc.constantFrom<Failure>('unsent', 'answered'), (state, failure) => {
        expect(fateOf({ ...state, failure }).resend).toBe(false)
      }),
    )
  })

  it('that may once have run stays in doubt, whatever follows', () => {
    fc.assert(
      fc.property(fc.array(failed, { minLength: 1, maxLength: 8 }), (states) => {
        let mayHaveRun = false
        for (const state of states) mayHaveRun = fateOf({ ...state, mayHaveRun }).mayHaveRun
        expect(mayHaveRun).toBe(states.some(({ failure }) => failure === 'ambiguous'))
      }),
    )
  })

  it('is sent a second time without any budget only where it was not read', () => {
    fc.assert(
      fc.property(failed, (state) => {
        const fate = fateOf({ ...state, leftMs: 0 })
        if (fate.resend) expect(state).toMatchObject({ failure: 'unread', sentCount: 1 })
      }),
    )
  })

  it('is sent again where it was not read, and where it may run twice', () => {
    const state = { sentCount: 1, mayHaveRun: false, delayMs: 0, leftMs: 1 }
    expect(fateOf({ ...state, failure: 'unread', idempotent: false }).resend).toBe(true)
    expect(fateOf({ ...state, failure: 'ambiguous', idempotent: true }).resend).toBe(true)
    expect(fateOf({ ...state, failure: 'refused', idempotent: true }).resend).toBe(true)
  })
})

describe('the pause before a statement is sent again', () => {
  const limits = { backoffBaseMs: 50, backoffCapMs: 300 }

  it('is none the first time, then doubles up to the cap', () => {
    const pauses = [1, 2, 3, 4, 5, 99].map((sent) => replayDelayMs(sent, limits, new ScriptedRandom(0.5)))
    expect(pauses).toEqual([0, 50, 100, 200, 300, 300])
  })

  it('is jittered by half of itself either way', () => {
    expect(replayDelayMs(2, limits, new ScriptedRandom(0))).toBe(25)
    expect(replayDelayMs(2, limits, new ScriptedRandom(0.999))).toBeCloseTo(74.95)
  })
})
