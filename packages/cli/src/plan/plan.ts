/** Which reserved concurrency, pool size and headroom keep every request answered: found by simulation. */

import type { EngineName } from '@leasehold/simulation'

import {
  busySessions,
  carriedPerS,
  coldConcurrency,
  meanConcurrency,
  shared,
  sum,
  withSpread,
} from './demand.ts'
import {
  MOST_CONCURRENCY,
  type PlanOptions,
  type ResolvedPlanOptions,
  resolvePlanOptions,
} from './options.ts'
import { type Rise, riseOf } from './rise.ts'
import { edgeOf } from './search.ts'
import { type LoadKind, LOADS, type Trial, tryOut } from './trial.ts'
import { warningsOf } from './warnings.ts'

export interface FunctionPlan {
  readonly name: string
  readonly ratePerS: number
  readonly workMs: number
  readonly otherMs: number
  /** As it was given. */
  readonly concurrency: number | undefined
  /** With less, Lambda turns requests away; undefined where nothing that the server carries is enough. */
  readonly lowest: number | undefined
  /** To be set as reserved concurrency; undefined where nothing holds. */
  readonly recommended: number | undefined
  /** With more, and all of it busy, the server does not answer everything in time; 0 where nothing holds. */
  readonly highest: number
}

export interface Plan {
  /** The load is carried, by the concurrency that was given, or by the recommended one. */
  readonly holds: boolean
  readonly engine: EngineName
  readonly slots: {
    readonly maxConnections: number
    readonly reservedCount: number
    readonly otherCount: number
    readonly headroomCount: number
    /** What is left for the functions. */
    readonly functionsCount: number
  }
  readonly cores: number
  readonly p99TargetMs: number
  /** By Little's law, without simulation. */
  readonly demand: {
    readonly ratePerS: number
    /** Sessions in use at once, on average. */
    readonly busySessions: number
    /** Invocations at once, on average. */
    readonly meanConcurrency: number
    /** Invocations at once while every environment is new. */
    readonly coldConcurrency: number
    /** Requests per second at which the slots are never idle. */
    readonly carriedPerS: number
  }
  readonly functions: readonly FunctionPlan[]
  readonly total: {
    readonly lowest: number | undefined
    readonly recommended: number | undefined
    readonly highest: number
    /** The least that was seen to fail; undefined where the search ended at `highest`. */
    readonly fails: number | undefined
  }
  /** Sessions of one environment: it serves one request at a time. */
  readonly poolSize: 1
  /** So many each, and still a slot for everyone: for functions whose requests run statements side by side. */
  readonly mostPoolSize: number
  readonly warnings: readonly string[]
  /** The advice tried out, a run for each kind of load. */
  readonly tried: readonly Trial[]
  readonly rise: Rise
}

/** Standard deviations beyond the mean, from little to much. */
const SPREADS = [2, 3, 4, 5, 7, 10, 15]
/** In environments, from one try to the next. */
const FURTHER = 1.5
/** An account of AWS begins with as many: nobody has to look further. */
const ACCOUNT_CONCURRENCY = 1_000
/** What is recommended, in what is needed at least: loads do not keep to plans. */
const ROOM = 1.5

/**
 * Plans by simulation: the product's own governor and policy, on a simulated server. Takes seconds of processor
 * time; opens no connection.
 *
 * @throws LeaseholdError `INVALID_OPTIONS` with every problem, one a line
 */
export async function plan(given: PlanOptions): Promise<Plan> {
  const options = resolvePlanOptions(given)
  const ask = asker(options, given)
  const { functions, slotCount } = options
  const needs = functions.map((each) => withSpread(meanConcurrency(each), 3))
  const need = sum(needs, (count) => count)
  const parts = (total: number): readonly number[] => shared(total, needs)
  const cold = sum(functions, coldConcurrency)
  const most = Math.min(MOST_CONCURRENCY, Math.max(ACCOUNT_CONCURRENCY, slotCount, 2 * need))
  const { holds: highest, fails } = await edgeOf(
    { least: functions.length, first: slotCount, most },
    async (total) =>
      (await ask('saturated', parts(total))).holds && (await ask('spread', parts(total))).holds,
  )
  const lowest = await lowestOf(options, ask, parts, highest)
  const lowestTotal = lowest === undefined ? undefined : sum(lowest, (count) => count)
  const recommended =
    lowestTotal === undefined
      ? undefined
      : Math.min(highest, Math.max(Math.ceil(ROOM * lowestTotal), Math.min(cold, slotCount)))
  const best = recommended ?? highest
  const advised = parts(Math.max(functions.length, best))
  const chosen = functions.map(({ concurrency }, index) => concurrency ?? advised[index] ?? 1)
  const tried: Trial[] = []
  for (const load of LOADS) tried.push(await ask(load, chosen))
  const total = { lowest: lowestTotal, recommended, highest, fails }
  const demand = {
    ratePerS: sum(functions, ({ ratePerS }) => ratePerS),
    busySessions: busySessions(functions),
    meanConcurrency: sum(functions, meanConcurrency),
    coldConcurrency: cold,
    carriedPerS: carriedPerS(slotCount, functions),
  }
  const holds = tried.every((trial) => trial.holds)
  return {
    holds,
    engine: options.engine,
    slots: {
      maxConnections: options.maxConnections,
      reservedCount: options.reservedCount,
      otherCount: options.otherCount,
      headroomCount: options.headroomCount,
      functionsCount: slotCount,
    },
    cores: options.cores,
    p99TargetMs: options.p99TargetMs,
    demand,
    functions: functions.map(({ name, ratePerS, workMs, otherMs, concurrency }, index) => ({
      name,
      ratePerS,
      workMs,
      otherMs,
      concurrency,
      lowest: lowest?.[index],
      recommended: recommended === undefined ? undefined : advised[index],
      highest: highest === 0 ? 0 : (parts(highest)[index] ?? 0),
    })),
    total,
    poolSize: 1,
    mostPoolSize: Math.max(1, Math.floor(slotCount / sum(chosen, (count) => count))),
    warnings: warningsOf(options, demand, total, tried),
    tried,
    rise: await riseOf(options, chosen),
  }
}

type Ask = (load: LoadKind, concurrency: readonly number[]) => Promise<Trial>

/** Nothing is simulated twice. */
function asker(options: ResolvedPlanOptions, { onProgress, signal }: PlanOptions): Ask {
  const known = new Map<string, Trial>()
  return async (load, concurrency) => {
    signal?.throwIfAborted()
    const key = `${load} ${concurrency.join(' ')}`
    const before = known.get(key)
    if (before !== undefined) return before
    onProgress?.({ run: known.size + 1, concurrency: sum(concurrency, (count) => count) })
    const trial = await tryOut(options, load, concurrency)
    known.set(key, trial)
    return trial
  }
}

/** The least concurrency of each function under which the load as planned holds, of those that are tried. */
async function lowestOf(
  options: ResolvedPlanOptions,
  ask: Ask,
  parts: (total: number) => readonly number[],
  highest: number,
): Promise<readonly number[] | undefined> {
  let total = 0
  for (const spread of SPREADS) {
    const counts = options.functions.map((each) => withSpread(meanConcurrency(each), spread))
    total = sum(counts, (count) => count)
    if (total > highest) break
    if ((await ask('planned', counts)).holds) return counts
  }
  // Beyond chance: whole environments have to wait for their first connect.
  while (total < highest) {
    total = Math.min(highest, Math.ceil(FURTHER * total))
    if ((await ask('planned', parts(total))).holds) return parts(total)
  }
  return highest > 0 && (await ask('planned', parts(highest))).holds ? parts(highest) : undefined
}
