import { describe, expect, it } from 'vitest'

import { requestOf } from '../arguments.ts'
import { GROUPS, SCENARIOS } from '../scenarios.ts'
import { simulate } from '../simulation.ts'

describe('the grid', () => {
  it('has 1 000 and 10 000 environments on four limits, under four kinds of load, and three policies to compare', () => {
    const { scenarios, policies } = requestOf(['grid'])
    expect(new Set(scenarios.map(({ name }) => name)).size).toBe(32)
    expect(new Set(scenarios.map(({ maxConnections }) => maxConnections))).toEqual(
      new Set([100, 400, 1_704, 5_000]),
    )
    expect(new Set(scenarios.map(({ fleets }) => fleets[0]?.environments))).toEqual(new Set([1_000, 10_000]))
    expect(policies).toEqual(['leasehold', 'oracle', 'proxy'])
  })

  it('is the sum of its parts', () => {
    const parts = ['poisson', 'bursts', 'days', 'webhooks'].flatMap((name) => GROUPS.get(name) ?? [])
    expect(GROUPS.get('grid')).toEqual(parts)
  })

  it.each(['grid-1000-400', 'burst-1000-400', 'day-1000-400', 'webhook-1000-400'])(
    'gives answered, p99, churn and pressure over time (%s)',
    async (name) => {
      const scenario = SCENARIOS.get(name)
      if (scenario === undefined) throw new Error(`no scenario called ${name}`)
      for (const policy of ['leasehold', 'oracle', 'proxy'] as const) {
        const figures = await simulate(
          { ...scenario, seconds: 12 },
          { policy, engine: 'postgresql', seed: 1 },
        )
        expect(figures.answered).toBeGreaterThan(500)
        expect(figures.p99Ms).toBeGreaterThan(20)
        expect(figures.connectsPerAnswer).toBeGreaterThan(0)
        expect(figures.samples.map(({ second }) => second)).toEqual(
          Array.from({ length: 12 }, (_, at) => at + 1),
        )
        for (const { pressure } of figures.samples) expect(pressure).toBeLessThanOrEqual(1)
      }
    },
  )
})
