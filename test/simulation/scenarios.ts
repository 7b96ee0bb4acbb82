// The worlds by name. Environments, limit and length can be changed on the command line.
import { diurnal, poisson, step, storms } from './arrivals.ts'
import type { FleetPlan } from './fleet.ts'
import { GRID } from './grid.ts'
import type { Scenario } from './simulation.ts'

const WORK_MS = 20

function closed(environments: number, thinkMs = 0, workMs: number = WORK_MS): FleetPlan {
  return { environments, load: { kind: 'closed', thinkMs }, workMs }
}

/** 26 slots on PostgreSQL, and two cores shared with the environments: the world of the tests with real ones. */
const tested = { maxConnections: 29, cores: 2, isShared: true, seconds: 20, quantumMs: 400 }

const WORLDS: readonly Scenario[] = [
  {
    ...tested,
    name: 'plenty',
    about: '20 environments on 26 slots: nobody should yield',
    fleets: [closed(20)],
  },
  {
    ...tested,
    name: 'contention',
    about: '60 environments on 26 slots, 20 ms of work',
    fleets: [closed(60)],
  },
  {
    ...tested,
    name: 'full',
    about: '26 environments on 26 slots: nobody waits, and nobody can know',
    fleets: [closed(26)],
  },
  {
    ...tested,
    name: 'newcomer',
    about: '26 busy environments on 26 slots; after 5 s 2 more begin',
    fleets: [closed(26, 5), { ...closed(2, 5), fromMs: 5_000 }],
  },
  { ...tested, name: 'heavy', about: '200 environments on 26 slots', fleets: [closed(200)] },
  {
    ...tested,
    name: 'step',
    about: '50 requests/s, then 3 000 for 30 s: Lambda scales up to 400 environments',
    maxConnections: 100,
    cores: 4,
    isShared: false,
    seconds: 60,
    fleets: [
      {
        environments: 400,
        load: { kind: 'open', arrivals: step(50, 3_000, 10_000, 30_000), dispatch: 'recent', warm: 5 },
        workMs: WORK_MS,
      },
    ],
  },
  {
    ...tested,
    name: 'sparse',
    about: '50 requests/s spread at random over 200 environments, 26 slots',
    seconds: 60,
    quantumMs: 0,
    fleets: [
      {
        environments: 200,
        load: { kind: 'open', arrivals: poisson(50), dispatch: 'random', warm: 200 },
        workMs: WORK_MS,
      },
    ],
  },
  {
    ...tested,
    name: 'sparse-start',
    about: '100 requests/s at random over 200 environments that start cold; a server by itself, 26 slots',
    isShared: false,
    quantumMs: 0,
    fleets: [
      {
        environments: 200,
        load: { kind: 'open', arrivals: poisson(100), dispatch: 'random', warm: 200 },
        workMs: WORK_MS,
      },
    ],
  },
  {
    ...tested,
    name: 'subsided',
    about: '46 environments on 26 slots; after 4 s 30 of them fall silent, and the others fit',
    seconds: 12,
    fleets: [closed(16), { ...closed(30), untilMs: 4_000 }],
  },
  {
    ...tested,
    name: 'sparse-busy',
    about: '200 requests/s spread at random over 200 environments, 26 slots',
    seconds: 60,
    quantumMs: 0,
    fleets: [
      {
        environments: 200,
        load: { kind: 'open', arrivals: poisson(200), dispatch: 'random', warm: 200 },
        workMs: WORK_MS,
      },
    ],
  },
  {
    ...tested,
    name: 'diurnal',
    about: 'a day in four minutes: 20 to 1 500 requests/s, up to 300 environments on 97 slots',
    maxConnections: 100,
    cores: 2,
    isShared: false,
    seconds: 240,
    quantumMs: 0,
    fleets: [
      {
        environments: 300,
        load: { kind: 'open', arrivals: diurnal(20, 1_500, 240_000), dispatch: 'recent', warm: 5 },
        workMs: WORK_MS,
      },
    ],
  },
  {
    ...tested,
    name: 'storm',
    about: '50 requests/s, and every 20 s a second of 2 000/s: up to 500 environments on 97 slots',
    maxConnections: 100,
    cores: 2,
    isShared: false,
    seconds: 120,
    quantumMs: 0,
    fleets: [
      {
        environments: 500,
        load: { kind: 'open', arrivals: storms(50, 2_000, 20_000, 1_000), dispatch: 'recent', warm: 5 },
        workMs: WORK_MS,
      },
    ],
  },
  {
    ...tested,
    name: 'two-fleets',
    about: 'the 26 environments of one function fall silent after 10 s, 40 of another begin',
    seconds: 40,
    fleets: [
      { ...closed(26), untilMs: 10_000 },
      { ...closed(40, 0, 50), fromMs: 10_000 },
    ],
  },
]

/** How far anybody gets who hands connections over: the fleet benchmark's contention, under oracles of several quanta. */
const BOUND: readonly Scenario[] = [200, 300, 400, 500, 600, 800, 1_000].map((quantumMs) => ({
  ...tested,
  name: `bound-${quantumMs}`,
  about: `contention for 10 s from a cold start; the oracle takes a slot after ${quantumMs} ms`,
  seconds: 10,
  quantumMs,
  fleets: [closed(60)],
}))

export const SCENARIOS: ReadonlyMap<string, Scenario> = new Map(
  [...WORLDS, ...BOUND, ...[...GRID.values()].flat()].map((scenario) => [scenario.name, scenario]),
)

/** Names that stand for several. */
export const GROUPS: ReadonlyMap<string, readonly Scenario[]> = new Map([
  ['worlds', WORLDS],
  ['bound', BOUND],
  ['grid', [...GRID.values()].flat()],
  ...GRID,
])
