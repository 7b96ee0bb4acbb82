// What the fleet goes through: which functions there are, who calls them when, and what is taken away.

/** A function and its environments, all of them ready before the clock starts. */
export interface FleetPlan {
  readonly name: string
  readonly environments: number
  /** The name Lambda knows it by, where two fleets are one function's. @defaultValue `name` */
  readonly functionName?: string
}

interface Load {
  /** The figures of all loads of one part are also given by themselves. @defaultValue the whole run only */
  readonly part?: string
  /** The `name` of a fleet. */
  readonly fleet: string
  readonly workMs: number
  readonly fromMs: number
  readonly untilMs: number
}

/** Each environment has a caller of its own, who sends the next request once the last was answered. */
export interface ClosedLoad extends Load {
  readonly kind: 'closed'
  /** Between an answer and the next request. @defaultValue 0 */
  readonly thinkMs?: number
  /** One request each, and no more. */
  readonly isOnce?: boolean
}

/** Requests come at random, whether or not the last were answered. What finds no environment idle is throttled. */
export interface OpenLoad extends Load {
  readonly kind: 'open'
  readonly perS: number
  /** To the environment used last, as Lambda has it, or to any. */
  readonly dispatch: 'recent' | 'random'
}

export interface Scenario {
  readonly name: string
  readonly about: string
  /** Sessions that an ordinary login can have. */
  readonly slots: number
  readonly fleets: readonly FleetPlan[]
  readonly loads: readonly (ClosedLoad | OpenLoad)[]
  /** How long Lambda lets an invocation run. @defaultValue longer than any library here waits for a slot by itself */
  readonly limitMs?: number
  /** These fleets' environments vanish then, without a FIN. */
  readonly vanish?: { readonly fleet: string; readonly atMs: number }
  /** Subjects that run here although they are extra; or the only ones. */
  readonly subjects?: { readonly also?: readonly string[]; readonly only?: readonly string[] }
  /** Rounds by default. */
  readonly pairs?: number
}

const WORK_MS = 20
const LENGTH_MS = 10_000

/** From beginning to end, unless it says otherwise. */
function closed(fleet: string, more: Partial<ClosedLoad> = {}): ClosedLoad {
  return { kind: 'closed', fleet, workMs: WORK_MS, fromMs: 0, untilMs: LENGTH_MS, ...more }
}

function crowd(environments: number): Pick<Scenario, 'slots' | 'fleets' | 'loads'> {
  return { slots: 26, fleets: [{ name: 'shop', environments }], loads: [closed('shop')] }
}

const STAIR = [50, 200, 500, 1_000, 2_000, 3_000, 50]
const STAIR_MS = 2_000

/** MySQL shows nobody else's transactions: a session is recalled once its function's limit is over, where that is known. */
export const SECOND_FUNCTION_LIMIT_MS = 5_000

const SECOND_FUNCTION: Scenario = {
  name: 'second-function',
  about: '20 environments freeze on what they got in plenty; 15 of another function need slots, 27 in all',
  slots: 27,
  limitMs: SECOND_FUNCTION_LIMIT_MS,
  fleets: [
    { name: 'shop', environments: 20 },
    { name: 'accounts', environments: 15 },
  ],
  loads: [
    closed('shop', { part: 'first', untilMs: 3_000 }),
    closed('accounts', { part: 'second', workMs: 50, fromMs: 4_000, untilMs: 14_000 }),
    closed('shop', { part: 'first again', fromMs: 14_500, untilMs: 14_600, isOnce: true }),
  ],
  subjects: { also: ['leasehold-enter'] },
}

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'contention',
    about: '60 environments on 26 slots, 20 ms of work, each request sent once the last was answered',
    ...crowd(60),
    pairs: 5,
  },
  { name: 'flood', about: '200 environments on 26 slots, 20 ms of work', ...crowd(200) },
  { name: 'plenty', about: '10 environments on 26 slots, 20 ms of work', ...crowd(10) },
  SECOND_FUNCTION,
  {
    ...SECOND_FUNCTION,
    name: 'second-function-unlimited',
    about: 'the same on a server with room for everybody: what the second function could have',
    slots: 97,
    subjects: { only: ['bare'] },
  },
  {
    name: 'reclaimed',
    about: '20 environments vanish without a FIN, and 20 new ones need slots, 26 in all',
    slots: 26,
    fleets: [
      { name: 'old', functionName: 'shop', environments: 20 },
      { name: 'new', functionName: 'shop', environments: 20 },
    ],
    loads: [
      closed('old', { part: 'before', untilMs: 3_000 }),
      closed('new', { part: 'after', fromMs: 3_500, untilMs: 10_000 }),
    ],
    vanish: { fleet: 'old', atMs: 3_250 },
  },
  {
    name: 'step',
    about: `${STAIR.join(', ')} requests/s, ${STAIR_MS / 1_000} s each, over at most 100 environments on 26 slots; short statements`,
    slots: 26,
    fleets: [{ name: 'shop', environments: 100 }],
    loads: STAIR.map((perS, index) => ({
      kind: 'open',
      part: `${index + 1}: ${perS}/s`,
      fleet: 'shop',
      perS,
      dispatch: 'recent',
      workMs: 0,
      fromMs: index * STAIR_MS,
      untilMs: (index + 1) * STAIR_MS,
    })),
  },
  {
    name: 'sparse',
    about: '100 requests/s spread at random over 200 environments, 26 slots, 20 ms of work',
    slots: 26,
    fleets: [{ name: 'shop', environments: 200 }],
    loads: [
      {
        kind: 'open',
        fleet: 'shop',
        perS: 100,
        dispatch: 'random',
        workMs: WORK_MS,
        fromMs: 0,
        untilMs: 12_000,
      },
    ],
  },
  {
    name: 'two-fleets',
    about: '50 environments with 20 ms of work and 10 of another function with 100 ms, 26 slots',
    slots: 26,
    fleets: [
      { name: 'shop', environments: 50 },
      { name: 'accounts', environments: 10 },
    ],
    loads: [closed('shop', { part: '50 × 20 ms' }), closed('accounts', { part: '10 × 100 ms', workMs: 100 })],
  },
  {
    name: 'report',
    about: '40 environments with 20 ms of work and 3 whose statement takes 2 s, once in 3 s; 26 slots',
    slots: 26,
    fleets: [
      { name: 'shop', environments: 40 },
      { name: 'reports', environments: 3 },
    ],
    loads: [
      closed('shop', { part: 'short' }),
      closed('reports', { part: 'report', workMs: 2_000, thinkMs: 1_000 }),
    ],
  },
]

/** The same story told in another time. */
export function stretched(scenario: Scenario, factor: number): Scenario {
  const time = (ms: number): number => Math.round(ms * factor)
  const { vanish } = scenario
  return {
    ...scenario,
    loads: scenario.loads.map((load) => ({
      ...load,
      fromMs: time(load.fromMs),
      untilMs: time(load.untilMs),
    })),
    ...(vanish === undefined ? {} : { vanish: { ...vanish, atMs: time(vanish.atMs) } }),
  }
}

export function lengthMsOf({ loads }: Scenario): number {
  return Math.max(...loads.map(({ untilMs }) => untilMs))
}
