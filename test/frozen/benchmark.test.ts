// The benchmark of fleets measures what happens: its figures agree with what servers count by themselves.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { figuresOf } from '../bench/fleet/figures.ts'
import { MEASURED, type Subject } from '../bench/fleet/measured.ts'
import { runOnce } from '../bench/fleet/one-run.ts'
import { turnsOf } from '../bench/fleet/plan.ts'
import { Recorder } from '../bench/fleet/recorder.ts'
import type { FleetRun, SubjectName } from '../bench/fleet/result.ts'
import { type Scenario, SCENARIOS, stretched } from '../bench/fleet/scenarios.ts'
import { startWorld, type World } from '../bench/fleet/world.ts'

const LOAD_MS = 1_500
const FULL_CODES = { postgresql: '53300', mariadb: 'ER_CON_COUNT_ERROR' }

function subjectNamed(wanted: SubjectName): Subject {
  const subject = MEASURED.find(({ name }) => name === wanted)
  if (subject === undefined) throw new Error(`there is no subject ${wanted}`)
  return subject
}

function twiceAsManyAs(slots: number): Scenario {
  return {
    name: 'twice',
    about: 'twice as many environments as slots',
    slots,
    fleets: [{ name: 'shop', environments: 2 * slots }],
    loads: [{ kind: 'closed', fleet: 'shop', workMs: 20, fromMs: 0, untilMs: LOAD_MS }],
  }
}

describe.each([
  { engine: 'postgresql', slots: 4 },
  { engine: 'mariadb', slots: 10 },
] as const)('a short run on $engine', ({ engine, slots }) => {
  let world: World
  const scenario = twiceAsManyAs(slots)
  const run = (name: SubjectName): Promise<FleetRun> =>
    runOnce(world, scenario, subjectNamed(name), {
      round: 1,
      nodeArgs: ['--conditions=@leasehold/source'],
    })

  beforeAll(async () => {
    world = await startWorld(engine, slots)
  })
  afterAll(() => world.dispose())

  it('counts of a bare pool one session for each slot, and each failure as one refusal', async () => {
    const { requests, sessions, connects, refused, environments } = await run('bare')
    expect(requests.answered).toBeGreaterThan(slots)
    expect(requests.failed).toBeGreaterThan(0)
    expect(requests.failures).toEqual({ [FULL_CODES[engine]]: requests.failed })
    expect(refused).toBe(requests.failed)
    expect(connects).toBe(slots)
    expect(sessions.peak).toBe(slots)
    expect(environments.meansMs).toHaveLength(slots)
  })

  it('counts of Leasehold an answer for each request, and more sessions than slots, but not at once', async () => {
    const { requests, sessions, connects, environments, serverCpuMs, ...figures } = await run('leasehold')
    expect(requests).toEqual({ answered: requests.answered, failed: 0, throttled: 0, failures: {} })
    expect(sessions.peak).toBeLessThanOrEqual(slots)
    expect(connects).toBeGreaterThanOrEqual(2 * slots)
    expect(figures.connectsPerAnswer).toBe(connects / requests.answered)
    expect(environments.meansMs).toHaveLength(2 * slots)
    expect(serverCpuMs).toBeGreaterThan(0)
    const inHistogram = figures.latencyMs.histogram.reduce((sum, { count }) => sum + count, 0)
    expect(inHistogram).toBe(requests.answered)
    const overTime = figures.answeredPerS.reduce((sum, perS) => sum + perS / 4, 0)
    expect(overTime).toBe(requests.answered)
  })
})

describe('figures', () => {
  const [answer, failure] = [undefined, '53300']

  it('tell latency, rate and starvation by the answers alone', () => {
    const recorder = new Recorder()
    const add = (environment: number, sentMs: number, latencyMs: number, failed?: string): void =>
      recorder.add({ load: 0, environment, sentMs, latencyMs, failure: failed })
    add(0, 0, 100, answer)
    add(1, 0, 100, answer)
    add(2, 0, 300, answer)
    add(3, 0, 5, failure)
    // Sent in time, answered late.
    add(0, 1_400, 200, answer)
    const figures = figuresOf(recorder, twiceAsManyAs(2))
    expect(figures.requests).toEqual({ answered: 4, failed: 1, throttled: 0, failures: { 53300: 1 } })
    expect(figures.ratePerS).toBe(2)
    expect(figures.latencyMs).toMatchObject({ p50: 200, max: 300 })
    expect(figures.environments).toEqual({ count: 4, worstToMedian: 2, meansMs: [150, 100, 300] })
    expect(figures.answeredPerS).toEqual([8, 4, 0, 0, 0, 0, 4])
  })

  it('compare environments with those of their own function', () => {
    const recorder = new Recorder()
    const fast = { load: 0, sentMs: 0, latencyMs: 20, failure: answer }
    const slow = { load: 1, sentMs: 0, latencyMs: 2_000, failure: answer }
    for (let environment = 0; environment < 40; environment += 1) recorder.add({ ...fast, environment })
    for (let environment = 40; environment < 43; environment += 1) recorder.add({ ...slow, environment })
    const report = SCENARIOS.find(({ name }) => name === 'report') as Scenario
    const { environments, parts } = figuresOf(recorder, report)
    expect(environments.worstToMedian).toBe(1)
    expect(parts?.['report']?.environments).toEqual({
      count: 3,
      worstToMedian: 1,
      meansMs: [2_000, 2_000, 2_000],
    })
  })
})

describe('the plan', () => {
  const [contention] = SCENARIOS as readonly [Scenario]
  const told = (wanted: { subjects?: readonly string[]; pairs?: number }): string[] =>
    turnsOf(contention, 'postgresql', { subjects: undefined, pairs: undefined, ...wanted }).map(
      ({ round, subject }) => `${round} ${subject.name}`,
    )

  it('lets the two that are compared take turns, back and forth, and the others run once', () => {
    expect(told({ pairs: 2 })).toEqual([
      '1 leasehold',
      '1 pgbouncer',
      '1 bare',
      '1 per-invocation',
      '1 serverless-postgres',
      '2 pgbouncer',
      '2 leasehold',
    ])
  })

  it('runs what is asked for by name in every round', () => {
    expect(told({ subjects: ['bare', 'leasehold'], pairs: 2 })).toEqual([
      '1 leasehold',
      '1 bare',
      '2 bare',
      '2 leasehold',
    ])
  })

  it('stretches all times of a scenario alike', () => {
    const reclaimed = SCENARIOS.find(({ vanish }) => vanish !== undefined) as Scenario
    const { loads, vanish } = stretched(reclaimed, 2)
    expect(loads.map(({ untilMs }) => untilMs)).toEqual(reclaimed.loads.map(({ untilMs }) => 2 * untilMs))
    expect(vanish?.atMs).toBe(2 * (reclaimed.vanish?.atMs ?? 0))
  })
})
