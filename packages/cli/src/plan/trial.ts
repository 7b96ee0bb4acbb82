/** One simulated run of the planned functions under a concurrency: the product itself, on a simulated server. */

import { type Figures, type FleetPlan, poisson, type Sample } from '@leasehold/simulation'

import { busySessions, sum } from './demand.ts'
import type { ResolvedPlanOptions } from './options.ts'
import { simulated } from './world.ts'

/**
 * - `planned`: the load, handed to the environment used last, as Lambda mostly does
 * - `spread`: the same, at random over all environments, each of which keeps a session for a while
 * - `saturated`: every environment busy without a pause: the worst that this concurrency lets happen
 */
export const LOADS = ['planned', 'spread', 'saturated'] as const
export type LoadKind = (typeof LOADS)[number]

export interface Trial {
  readonly load: LoadKind
  /** Environments of each function. */
  readonly concurrency: readonly number[]
  /** Everything that reached an environment was answered, p99 within its target; as planned, nothing was throttled. */
  readonly holds: boolean
  readonly answeredShare: number
  /** Requests that Lambda turned away, for want of concurrency. */
  readonly throttled: number
  readonly ratePerS: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  readonly mostSessions: number
  readonly connectsPerAnswer: number
  /** Of the server's processors. */
  readonly cpuShare: number
  /** Second by second. */
  readonly samples: readonly Sample[]
}

/** About so many requests are simulated in a run: enough for a p99. */
const REQUESTS = 30_000
/** CPU that a server needs for a statement at least: no more than this many come through a processor. */
const MOST_PER_CORE_S = 20_000

export async function tryOut(
  options: ResolvedPlanOptions,
  load: LoadKind,
  concurrency: readonly number[],
): Promise<Trial> {
  const figures = await simulated(options, {
    name: load,
    seconds: secondsOf(options, load, concurrency),
    fleets: options.functions.map((_, index) => fleetOf(options, load, index, concurrency[index] ?? 1)),
  })
  return trialOf(figures, load, concurrency, options.p99TargetMs)
}

function fleetOf(
  { functions }: ResolvedPlanOptions,
  load: LoadKind,
  index: number,
  environments: number,
): FleetPlan {
  const { ratePerS = 0, workMs = 0, otherMs = 0 } = functions[index] ?? {}
  const parts = { environments, workMs, besideMs: otherMs }
  if (load === 'saturated') return { ...parts, load: { kind: 'closed', thinkMs: 0 } }
  return {
    ...parts,
    load: {
      kind: 'open',
      arrivals: poisson(ratePerS),
      dispatch: load === 'spread' ? 'random' : 'recent',
      warm: environments,
    },
  }
}

/** Long enough to see what follows from the first second, and no longer: whoever plans is waiting. */
function secondsOf(options: ResolvedPlanOptions, load: LoadKind, concurrency: readonly number[]): number {
  const { functions, slotCount, cores } = options
  const ratePerS = sum(functions, (each) => each.ratePerS)
  const longestS = Math.max(...functions.map(({ workMs, otherMs }) => workMs + otherMs)) / 1_000
  const leastS = Math.min(20, 2 + 3 * longestS)
  if (load !== 'saturated') return clamped(REQUESTS / ratePerS, Math.max(4, leastS), 20)
  const workS = busySessions(functions) / ratePerS
  const busyAtOnce = Math.min(
    slotCount,
    sum(concurrency, (count) => count),
  )
  return clamped(REQUESTS / Math.min(busyAtOnce / workS, cores * MOST_PER_CORE_S), leastS, 10)
}

function clamped(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(value, Math.max(least, most)))
}

function trialOf(
  figures: Figures,
  load: LoadKind,
  concurrency: readonly number[],
  p99TargetMs: number,
): Trial {
  const { failed, pending, throttled, p50Ms, p99Ms, maxMs, samples } = figures
  const { answeredShare, ratePerS, mostSessions, connectsPerAnswer, cpuShare } = figures
  const isAllTaken = load !== 'planned' || throttled === 0
  return {
    load,
    concurrency,
    holds: isAllTaken && failed === 0 && pending === 0 && p99Ms <= p99TargetMs,
    answeredShare,
    throttled,
    ratePerS,
    p50Ms,
    p99Ms,
    maxMs,
    mostSessions,
    connectsPerAnswer,
    cpuShare,
    samples,
  }
}
