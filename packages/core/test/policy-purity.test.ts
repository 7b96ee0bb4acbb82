import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'

import { calmForMs, drawQuantumMs, keeping } from '../src/policy-keeping.ts'
import { firstDelayMs, nextDelayMs, publishedWaitMs } from '../src/policy-waiting.ts'
import { calm, contended, leaseFor, leaseLadder } from '../src/policy.ts'
import { ScriptedRandom } from '../src/testing/scripted-random.ts'
import { anyLimits, anyView } from './policy-inputs.ts'

const draws = fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { minLength: 1 })
const numbers = fc.record({
  ageMs: fc.double({ min: 0, max: 10_000, noNaN: true }),
  heldMs: fc.double({ min: 0, max: 2_000, noNaN: true }),
  leftMs: fc.double({ min: 0, max: 10_000, noNaN: true }),
})

describe('a decision of the policy', () => {
  afterEach(() => {
    vi.restoreAllMocks()
  })

  it('depends on its arguments and on nothing else, and changes none of them', () => {
    const elsewhere = (): never => {
      throw new Error('the policy looked elsewhere')
    }
    vi.spyOn(Math, 'random').mockImplementation(elsewhere)
    vi.spyOn(Date, 'now').mockImplementation(elsewhere)
    vi.spyOn(performance, 'now').mockImplementation(elsewhere)
    fc.assert(
      fc.property(anyLimits, anyView, draws, numbers, (limits, view, drawn, { ageMs, heldMs, leftMs }) => {
        Object.freeze(limits)
        Object.freeze(view)
        const decideAll = (): unknown[] => {
          const random = new ScriptedRandom(...drawn)
          const ladder = leaseLadder(limits)
          const newcomer = Object.freeze({
            view,
            viewAgeMs: ageMs,
            sinceYieldMs: heldMs,
            turnMs: ageMs,
            gapMs: 2,
            connectMs: 4,
          })
          const holder = Object.freeze({
            view,
            viewAgeMs: ageMs,
            queued: true,
            refused: true,
            late: true,
            heldMs,
            quantumMs: 400,
            gapMs: heldMs,
            connectMs: 4,
            first: false,
            fresh: true,
          })
          const waiting = Object.freeze({
            ...newcomer,
            waitedMs: heldMs,
            attempts: 3,
            attemptMs: 2,
            refused: true,
            leftMs,
          })
          return [
            ladder,
            leaseFor(view, ladder),
            calm(view, limits),
            contended(view),
            calmForMs(view, leftMs, true),
            drawQuantumMs(ageMs, true, random),
            keeping(holder, limits, random),
            publishedWaitMs(heldMs, 1, true),
            firstDelayMs(newcomer, random),
            nextDelayMs(waiting, limits, random),
          ]
        }
        expect(decideAll()).toEqual(decideAll())
      }),
    )
  })
})
