import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { calmForMs, drawQuantumMs, type HolderState, keeping, young } from '../src/policy-keeping.ts'
import { calm } from '../src/policy.ts'
import { ScriptedRandom } from '../src/testing/scripted-random.ts'
import {
  anyDurationMs,
  anyLimits,
  anyRandom,
  anyViewOrNone,
  defaultLimits,
  viewWith,
} from './policy-inputs.ts'

const anyHolder: fc.Arbitrary<HolderState> = fc.record({
  view: anyViewOrNone,
  viewAgeMs: anyDurationMs,
  queued: fc.boolean(),
  refused: fc.boolean(),
  late: fc.boolean(),
  heldMs: anyDurationMs,
  first: fc.boolean(),
  quantumMs: fc.double({ min: 320, max: 600, noNaN: true }),
  gapMs: anyDurationMs,
  connectMs: fc.double({ min: 0, max: 30_000, noNaN: true }),
  fresh: fc.boolean(),
})

/** A busy holder of a full server whose quantum is over and whose census is new. */
const holder: HolderState = {
  view: viewWith({ usedCount: 26, waiting: true }),
  viewAgeMs: 10,
  queued: false,
  refused: false,
  late: false,
  heldMs: 500,
  first: false,
  quantumMs: 400,
  gapMs: 2,
  connectMs: 4,
  fresh: false,
}
const decide = (given: Partial<HolderState>, random = new ScriptedRandom(0.5)): string =>
  keeping({ ...holder, ...given }, defaultLimits, random)

describe('a holder', () => {
  it('always gets an answer, and after a census one that asks for no other', () => {
    fc.assert(
      fc.property(anyHolder, anyLimits, anyRandom, (state, limits, random) => {
        const decision = keeping(state, limits, random)
        expect(['keep', 'look', 'yield']).toContain(decision)
        if (state.fresh) expect(decision).not.toBe('look')
      }),
    )
  })

  it('never yields while slots are plenty', () => {
    fc.assert(
      fc.property(anyHolder, anyLimits, anyRandom, (state, limits, random) => {
        fc.pre(state.view !== undefined && calm(state.view, limits))
        // What it learnt while it waited counts for more than what was counted before.
        fc.pre(!state.queued || state.viewAgeMs <= state.heldMs)
        expect(keeping(state, limits, random)).not.toBe('yield')
      }),
    )
  })

  it('does not even look while slots are plenty', () => {
    expect(decide({ view: viewWith({ usedCount: 10 }), viewAgeMs: 4_000, heldMs: 60_000 })).toBe('keep')
  })

  it('never yields on knowledge that it does not have, or that is old', () => {
    fc.assert(
      fc.property(anyHolder, anyLimits, anyRandom, (state, limits, random) => {
        fc.pre(!state.queued && (state.view === undefined || state.viewAgeMs > 15_000))
        expect(keeping(state, limits, random)).toBe(state.fresh ? 'keep' : 'look')
      }),
    )
  })

  it('gives its slot up at once under contention when its own gaps are long', () => {
    expect(decide({ gapMs: 51, heldMs: 0 })).toBe('yield')
    expect(decide({ gapMs: 50, heldMs: 0 })).toBe('keep')
  })

  it('calls a gap long only when it is dearer than the connects it would take', () => {
    expect(decide({ gapMs: 119, connectMs: 20, heldMs: 0 })).toBe('keep')
    expect(decide({ gapMs: 121, connectMs: 20, heldMs: 0 })).toBe('yield')
  })

  it('keeps its slot for its quantum when its gaps are short', () => {
    expect(decide({ heldMs: 399 })).toBe('keep')
  })

  it('looks before it yields, unless it has just looked', () => {
    expect(decide({ viewAgeMs: 161 })).toBe('look')
    expect(decide({ viewAgeMs: 161, fresh: true })).toBe('yield')
  })

  it('looks less often the more sessions there are, so that all of them together look no more often', () => {
    const many = viewWith({ usedCount: 1_000, slotCount: 1_000, waiting: true })
    expect(decide({ view: many, viewAgeMs: 4_000, heldMs: 60_000 })).toBe('yield')
    expect(decide({ view: many, viewAgeMs: 4_001, heldMs: 60_000 })).toBe('look')
  })

  it('yields after its quantum when somebody waits for a full server', () => {
    expect(decide({})).toBe('yield')
  })

  it('keeps while slots are free, though somebody had to wait', () => {
    expect(decide({ view: viewWith({ usedCount: 24, waiting: true }) })).toBe('keep')
  })

  it('makes room before the last slot is taken, as newcomers ask now and then only', () => {
    expect(decide({ view: viewWith({ usedCount: 25, waiting: true }) })).toBe('yield')
    expect(decide({ view: viewWith({ usedCount: 25 }) })).toBe('keep')
    expect(decide({ view: viewWith({ usedCount: 9, slotCount: 10, waiting: true }) })).toBe('keep')
  })

  it('gives way sooner where newcomers wait for long, after half its quantum at the soonest', () => {
    const after = (typicalWaitMs: number, heldMs: number): string =>
      decide({ view: viewWith({ usedCount: 26, waiting: true, typicalWaitMs }), heldMs })
    expect(after(2_000, 399)).toBe('keep')
    expect(after(2_000, 400)).toBe('yield')
    expect(after(2_500, 319)).toBe('keep')
    expect(after(2_500, 320)).toBe('yield')
    expect(after(9_000, 199)).toBe('keep')
    expect(after(9_000, 200)).toBe('yield')
  })

  describe('that started with the fleet, on a full server where nobody can be seen waiting', () => {
    const full = viewWith({ usedCount: 26 })

    it('looks again as if somebody waited, for its first second and a half', () => {
      expect(decide({ view: full, first: true, viewAgeMs: 161 })).toBe('look')
      expect(decide({ view: full, first: true, viewAgeMs: 161, heldMs: 1_500 })).toBe('keep')
      expect(decide({ view: full, first: false, viewAgeMs: 161 })).toBe('keep')
      expect(decide({ view: full, first: false, viewAgeMs: 1_001 })).toBe('look')
    })

    it('gives its slot up after its quantum, and keeps it once another is free', () => {
      expect(decide({ view: full, first: true })).toBe('yield')
      expect(decide({ view: full, first: true, heldMs: 399 })).toBe('keep')
      expect(decide({ view: viewWith({ usedCount: 25 }), first: true })).toBe('keep')
    })

    it('makes room by chance later on', () => {
      // 1 000 ms a look, 26 holders, one probe in 600 ms.
      const probes = (draw: number): string => decide({ view: full, fresh: true }, new ScriptedRandom(draw))
      expect(probes(1_000 / 15_600 - 0.001)).toBe('yield')
      expect(probes(1_000 / 15_600 + 0.001)).toBe('keep')
    })
  })

  describe('that had to wait for its slot', () => {
    it('yields after its quantum without another census', () => {
      expect(decide({ queued: true, refused: true, viewAgeMs: 3_900 })).toBe('yield')
      expect(decide({ queued: true, refused: true, viewAgeMs: 3_900, heldMs: 399 })).toBe('keep')
    })

    it('counts again when its last census is old: the queue may have ended', () => {
      expect(decide({ queued: true, refused: true, viewAgeMs: 7_999 })).toBe('yield')
      expect(decide({ queued: true, refused: true, viewAgeMs: 8_001 })).toBe('look')
    })

    it('counts again sooner when it waited out of courtesy alone, which keeps no queue alive', () => {
      expect(decide({ queued: true, viewAgeMs: 500 })).toBe('yield')
      expect(decide({ queued: true, viewAgeMs: 501 })).toBe('look')
    })

    it('believes a census for twice the wait that it told, for queues last', () => {
      const view = viewWith({ usedCount: 26, waiting: true, typicalWaitMs: 900 })
      expect(decide({ view, queued: true, viewAgeMs: 1_800 })).toBe('yield')
      expect(decide({ view, queued: true, viewAgeMs: 1_801 })).toBe('look')
      const long = viewWith({ usedCount: 26, waiting: true, typicalWaitMs: 9_000 })
      expect(decide({ view: long, queued: true, viewAgeMs: 8_001 })).toBe('look')
    })

    it('gives its slot up at once when its own gaps are long, whatever it has counted', () => {
      const unknown = { view: undefined, viewAgeMs: Number.POSITIVE_INFINITY, heldMs: 30 }
      expect(decide({ ...unknown, queued: true, gapMs: 4_000 })).toBe('yield')
      expect(decide({ ...unknown, queued: false, gapMs: 4_000 })).toBe('look')
      const plenty = { view: viewWith({ usedCount: 10 }), queued: true, gapMs: 4_000, heldMs: 30 }
      expect(decide({ ...plenty, viewAgeMs: 31 })).toBe('yield')
      expect(decide({ ...plenty, viewAgeMs: 20 })).toBe('keep')
    })

    it('counts again when its own wait is old', () => {
      expect(decide({ queued: true, viewAgeMs: 2_000, heldMs: 1_501 })).toBe('look')
    })

    it('counts when its last census knew nothing of a queue', () => {
      const view = viewWith({ usedCount: 23 })
      expect(decide({ queued: true, viewAgeMs: 2_000, view })).toBe('look')
    })
  })

  describe('of a fleet in which hardly any session does anything', () => {
    const idle = viewWith({ usedCount: 22, busyShare: 0.14 })

    it('gives its slot up at once while its own gaps are not known, or are long', () => {
      expect(decide({ view: idle, gapMs: 0, heldMs: 20 })).toBe('yield')
      expect(decide({ view: idle, gapMs: 51, heldMs: 20 })).toBe('yield')
      expect(decide({ view: idle, gapMs: 50, heldMs: 20 })).toBe('keep')
    })

    it('keeps it where many sessions are at work, or nobody knows', () => {
      for (const busyShare of [0.15, 1, undefined]) {
        const view = viewWith({ usedCount: 22, busyShare })
        expect(decide({ view, gapMs: 0, heldMs: 20 })).toBe('keep')
        expect(decide({ view, gapMs: 51, heldMs: 20 })).toBe('keep')
      }
    })

    it('gives it up at once after a late wait, by a census of its own', () => {
      expect(decide({ view: idle, late: true, viewAgeMs: 20, heldMs: 20 })).toBe('yield')
      expect(decide({ view: idle, late: true, viewAgeMs: 21, heldMs: 20 })).toBe('keep')
      expect(decide({ view: idle, late: false, viewAgeMs: 20, heldMs: 20 })).toBe('keep')
      const busy = viewWith({ usedCount: 22, busyShare: 0.15 })
      expect(decide({ view: busy, late: true, viewAgeMs: 20, heldMs: 20 })).toBe('keep')
    })

    it('keeps it while slots are plenty', () => {
      const plenty = viewWith({ usedCount: 20, busyShare: 0 })
      expect(decide({ view: plenty, gapMs: 0, heldMs: 20 })).toBe('keep')
      expect(decide({ view: plenty, gapMs: 51, heldMs: 20 })).toBe('keep')
    })
  })

  it('makes room on a full server now and then to find out whether anybody waits, once a census', () => {
    const view = viewWith({ usedCount: 26 })
    expect(decide({ view, fresh: true }, new ScriptedRandom(0))).toBe('yield')
    expect(decide({ view, fresh: true }, new ScriptedRandom(0.9))).toBe('keep')
    expect(decide({ view, fresh: false }, new ScriptedRandom(0))).toBe('keep')
  })

  it('makes room the less often the more holders there are to do it', () => {
    const share = (slotCount: number): number => {
      const draws = Array.from({ length: 10_000 }, (_, index) => index / 10_000)
      const view = viewWith({ usedCount: slotCount, slotCount })
      return draws.filter((draw) => decide({ view, fresh: true }, new ScriptedRandom(draw)) === 'yield')
        .length
    }
    expect(share(10)).toBeCloseTo(2 * share(20), -1)
  })
})

describe('slots that were found plenty', () => {
  const roomy = viewWith({ usedCount: 15 })
  const waited = viewWith({ usedCount: 15, waiting: true, typicalWaitMs: 900 })

  it('are believed in until the next census is due', () => {
    expect(calmForMs(roomy, 2_000, false)).toBe(2_000)
    expect(calmForMs(viewWith({ usedCount: 400, slotCount: 1_000 }), 2_000, false)).toBe(4_000)
  })

  it('are believed in for half a second where newcomers had to wait lately: they may still be on their way', () => {
    expect(calmForMs(waited, 2_000, false)).toBe(500)
    expect(calmForMs(waited, 400, false)).toBe(400)
  })

  it('are believed in for 0.3 s by whoever started just now, for others may be starting with him', () => {
    expect(calmForMs(roomy, 2_000, true)).toBe(300)
    expect(calmForMs(waited, 2_000, true)).toBe(300)
    expect(young({ first: true, heldMs: 1_499 })).toBe(true)
    expect(young({ first: true, heldMs: 1_500 })).toBe(false)
    expect(young({ first: false, heldMs: 10 })).toBe(false)
  })

  it('are looked for no more often by many holders than by few, and never less often than usual', () => {
    fc.assert(
      fc.property(
        anyViewOrNone,
        fc.integer({ min: 100, max: 60_000 }),
        fc.boolean(),
        (any, everyMs, isYoung) => {
          const view = any ?? roomy
          const againMs = calmForMs(view, everyMs, isYoung)
          const usualMs = calmForMs({ ...view, waiting: false }, everyMs, false)
          expect(againMs).toBeLessThanOrEqual(usualMs)
          expect(againMs).toBeGreaterThanOrEqual(Math.min(usualMs, 4 * view.usedCount))
        },
      ),
    )
  })
})

describe('a quantum', () => {
  const middle = new ScriptedRandom(0.5)

  it('is 400 to 500 ms, give or take a tenth, whatever a connect takes', () => {
    fc.assert(
      fc.property(anyDurationMs, anyRandom, (connectMs, random) => {
        const quantumMs = drawQuantumMs(connectMs, false, random)
        expect(quantumMs).toBeGreaterThanOrEqual(360)
        expect(quantumMs).toBeLessThanOrEqual(550)
      }),
    )
  })

  it('is 0.3 of that or more, by chance, for those who start with the fleet', () => {
    const first = (draw: number): number => drawQuantumMs(0, true, new ScriptedRandom(0.5, draw))
    expect(first(0)).toBeCloseTo(120)
    expect(first(0.999_999)).toBeCloseTo(400, 1)
  })

  it('is the longer the longer a connect takes', () => {
    expect(drawQuantumMs(0, false, middle)).toBe(400)
    expect(drawQuantumMs(25, false, middle)).toBe(450)
    expect(drawQuantumMs(200, false, middle)).toBe(500)
  })
})
