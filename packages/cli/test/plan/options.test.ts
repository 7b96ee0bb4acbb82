import { describe, expect, it } from 'vitest'

import { type PlanOptions, resolvePlanOptions } from '../../src/plan/options.ts'

const FUNCTIONS = [{ ratePerS: 100, workMs: 20 }]
const OPTIONS: PlanOptions = { maxConnections: 100, functions: FUNCTIONS }

describe('options of a plan', () => {
  it('have defaults that leave slots to the server and to people', () => {
    expect(resolvePlanOptions(OPTIONS)).toMatchObject({
      engine: 'postgresql',
      reservedCount: 3,
      otherCount: 0,
      headroomCount: 5,
      slotCount: 92,
      p99TargetMs: 1_020,
      cores: 2,
      functions: [{ name: 'function 1', otherMs: 0, concurrency: undefined }],
    })
    expect(resolvePlanOptions({ ...OPTIONS, engine: 'mysql' })).toMatchObject({
      reservedCount: 0,
      slotCount: 95,
    })
  })

  it('take 0 for a value', () => {
    const none = { reservedCount: 0, headroomCount: 0 }
    expect(resolvePlanOptions({ ...OPTIONS, ...none }).slotCount).toBe(100)
  })

  it("have no more slots than the login's own limit", () => {
    expect(resolvePlanOptions({ ...OPTIONS, loginLimitCount: 40 }).slotCount).toBe(40)
  })

  it('are refused with every problem at once', () => {
    const functions = [{ name: 'orders', ratePerS: 0, workMs: Number.NaN, otherMs: -1, concurrency: 1.5 }]
    const wrong = (): unknown => resolvePlanOptions({ maxConnections: 5, cores: 0, seed: -1, functions })
    for (const field of ['maxConnections', 'cores', 'seed', 'ratePerS', 'workMs', 'otherMs', 'concurrency']) {
      expect(wrong).toThrow(`\`${field}\``)
    }
  })

  it.each<[string, PlanOptions, string]>([
    ['no function is planned', { ...OPTIONS, functions: [] }, '`functions` must have one at least'],
    ['nothing is left', { ...OPTIONS, otherCount: 97 }, 'no slots are left'],
    [
      'an invocation takes longer than the target',
      { ...OPTIONS, p99TargetMs: 20 },
      '`p99TargetMs` must be longer',
    ],
    [
      'nobody could simulate it',
      { ...OPTIONS, functions: [{ ratePerS: 10_000, workMs: 10_000 }] },
      'more than can be simulated',
    ],
  ])('are refused when %s', (_what, options, remedy) => {
    expect(() => resolvePlanOptions(options)).toThrow(remedy)
  })
})
