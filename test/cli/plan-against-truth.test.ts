// The plan against the truth: what it advises holds when it is simulated by itself, and what is beyond it does not.
import { poisson, type RunOptions, type Scenario, simulate } from '@leasehold/simulation'
import { beforeAll, describe, expect, it } from 'vitest'

import type { PlanOptions } from '../../packages/cli/src/plan/options.ts'
import { plan, type Plan } from '../../packages/cli/src/plan/plan.ts'

const RATE_PER_S = 100
const WORK_MS = 50
const OPTIONS = {
  maxConnections: 29,
  cores: 2,
  functions: [{ name: 'orders', ratePerS: RATE_PER_S, workMs: WORK_MS }],
} satisfies PlanOptions

/** Not the seed that the plan was made with. */
const RUN: RunOptions = { policy: 'leasehold', engine: 'postgresql', seed: 77 }

/** As the plan's options say, without anything of the planner's. */
function scenario(slotCount: number, fleet: Scenario['fleets'][number]): Scenario {
  return {
    name: 'truth',
    about: '',
    maxConnections: slotCount,
    reservedCount: 0,
    cores: 2,
    isShared: false,
    quantumMs: 0,
    seconds: 20,
    fleets: [fleet],
  }
}

const open = (ratePerS: number, environments: number): Scenario['fleets'][number] => ({
  environments,
  workMs: WORK_MS,
  load: { kind: 'open', arrivals: poisson(ratePerS), dispatch: 'recent', warm: environments },
})
const saturated = (environments: number): Scenario['fleets'][number] => ({
  environments,
  workMs: WORK_MS,
  load: { kind: 'closed', thinkMs: 0 },
})

describe('a plan', () => {
  let found: Plan
  beforeAll(async () => {
    found = await plan(OPTIONS)
  })

  it('advises a concurrency between the least and the most', () => {
    const { lowest = 0, recommended = 0, highest, fails = 0 } = found.total
    expect(found.holds).toBe(true)
    expect(lowest).toBeGreaterThan(RATE_PER_S * (WORK_MS / 1_000))
    expect(recommended).toBeGreaterThanOrEqual(lowest)
    expect(highest).toBeGreaterThanOrEqual(recommended)
    expect(fails).toBeGreaterThan(highest)
  })

  it('advises what keeps everything answered when it is simulated by itself', async () => {
    const { recommended = 0, highest } = found.total
    const slots = found.slots.functionsCount
    const asPlanned = await simulate(scenario(slots, open(RATE_PER_S, recommended)), RUN)
    expect(asPlanned).toMatchObject({ answeredShare: 1, throttled: 0 })
    expect(asPlanned.p99Ms).toBeLessThan(found.p99TargetMs)
    const atMost = await simulate(scenario(slots, saturated(highest)), RUN)
    expect(atMost.answeredShare).toBe(1)
    // Another seed, and a longer run.
    expect(atMost.p99Ms).toBeLessThan(1.15 * found.p99TargetMs)
  })

  it('allows no more than the server carries: half as much again is not answered in time', async () => {
    const { fails = 0 } = found.total
    const beyond = await simulate(
      scenario(found.slots.functionsCount, saturated(Math.ceil(1.5 * fails))),
      RUN,
    )
    expect(beyond.p99Ms > found.p99TargetMs || beyond.answeredShare < 1).toBe(true)
  })

  it('advises no less than the load needs: with two thirds of the least, requests are turned away', async () => {
    const { lowest = 0 } = found.total
    const fewer = Math.floor((2 / 3) * lowest)
    const short = await simulate(scenario(found.slots.functionsCount, open(RATE_PER_S, fewer)), RUN)
    expect(short.throttled).toBeGreaterThan(0)
  })

  it('is the same for the same seed', async () => {
    expect(JSON.stringify(await plan(OPTIONS))).toBe(JSON.stringify(found))
  })

  it('allows no less concurrency with more slots', async () => {
    let before = 0
    for (const maxConnections of [16, 29, 58]) {
      const { total } = await plan({ ...OPTIONS, maxConnections })
      expect(total.highest).toBeGreaterThanOrEqual(before)
      before = total.highest
    }
  })

  it('says that a rate above what the slots carry cannot be kept, and what would do', async () => {
    const slots = found.slots.functionsCount
    const tooMuch = (1.5 * slots * 1_000) / WORK_MS
    const { holds, warnings, total } = await plan({
      ...OPTIONS,
      functions: [{ ratePerS: tooMuch, workMs: WORK_MS }],
    })
    expect(holds).toBe(false)
    expect(warnings.join('\n')).toMatch(/sessions at once \(rate × time\).*raise max_connections/u)
    expect(total.recommended).toBeUndefined()
  })

  it('says of a concurrency that is set whether it will do', async () => {
    const [each] = OPTIONS.functions
    const set = (concurrency: number): Promise<Plan> =>
      plan({ ...OPTIONS, functions: [{ ...each, ratePerS: RATE_PER_S, workMs: WORK_MS, concurrency }] })
    const { highest } = found.total
    expect((await set(highest)).holds).toBe(true)
    const beyond = await set(3 * highest)
    expect(beyond.holds).toBe(false)
    expect(beyond.warnings.join('\n')).toContain(`with a concurrency of ${3 * highest}`)
    const below = await set(2)
    expect(below.warnings.join('\n')).toContain('turned away by Lambda')
  })

  it('shares the concurrency among functions as they need it', async () => {
    const functions = [
      { name: 'orders', ratePerS: 60, workMs: 50 },
      { name: 'reports', ratePerS: 1, workMs: 1_000 },
    ]
    const { functions: parts, total } = await plan({ ...OPTIONS, functions })
    const sums = parts.map(({ highest }) => highest)
    expect(sums[0]).toBeGreaterThan(sums[1] ?? 0)
    expect((sums[0] ?? 0) + (sums[1] ?? 0)).toBe(total.highest)
  })

  it('ends when its signal says so', async () => {
    const reason = new Error('enough')
    await expect(plan({ ...OPTIONS, signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })
})
