/** What a plan is made from: validated at once, every problem in one error. */

import { invalidOptions } from '@leasehold/core'
import { type EngineName, reservedByDefault } from '@leasehold/simulation'

import { defaultHeadroom, type Demand, meanConcurrency, sum } from './demand.ts'

/** One function, or several that are alike. */
export interface PlannedFunction {
  /** Stands in the answer. @defaultValue `function 1`, `function 2`, … */
  readonly name?: string | undefined
  /** Requests per second at the busiest time, above 0 to 100 000. */
  readonly ratePerS: number
  /** How long a request uses its session: milliseconds, above 0 to 900 000. */
  readonly workMs: number
  /** The rest of an invocation, in which no session is needed: milliseconds, 0 to 900 000. @defaultValue 0 */
  readonly otherMs?: number | undefined
  /** Reserved concurrency that is set already: the plan says whether it will do. 1 to 10 000. */
  readonly concurrency?: number | undefined
}

export interface PlanOptions {
  /** The server's limit, 10 to 100 000. */
  readonly maxConnections: number
  /** MariaDB counts as MySQL. @defaultValue `postgresql` */
  readonly engine?: EngineName | undefined
  /** Slots of these that the server keeps for itself and its administrators. @defaultValue 3 on PostgreSQL, 0 on MySQL */
  readonly reservedCount?: number | undefined
  /** A limit of the functions' login or database, where it has one. */
  readonly loginLimitCount?: number | undefined
  /** Sessions of other applications, at most. @defaultValue 0 */
  readonly otherCount?: number | undefined
  /** Slots that stay free for what nobody planned. @defaultValue a twentieth of what is left, from 3 to 20 */
  readonly headroomCount?: number | undefined
  /** At least one. */
  readonly functions: readonly PlannedFunction[]
  /** 99 of 100 requests are answered within: milliseconds. @defaultValue 1 000, and the longest invocation itself */
  readonly p99TargetMs?: number | undefined
  /** The server's processors, 1 to 256. @defaultValue a guess by `maxConnections` */
  readonly cores?: number | undefined
  /** Whole number; the same one gives the same plan. @defaultValue 1 */
  readonly seed?: number | undefined
  /** Called before each simulated run. */
  readonly onProgress?: ((progress: Progress) => void) | undefined
  /** Ends the planning: it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

export interface Progress {
  /** Of this run, beginning with 1. */
  readonly run: number
  /** Environments of all functions. */
  readonly concurrency: number
}

export interface ResolvedFunction extends Demand {
  readonly name: string
  readonly concurrency: number | undefined
}

export interface ResolvedPlanOptions {
  readonly engine: EngineName
  readonly maxConnections: number
  readonly reservedCount: number
  readonly otherCount: number
  readonly headroomCount: number
  /** Slots for the functions that are planned: what is left. */
  readonly slotCount: number
  readonly functions: readonly ResolvedFunction[]
  readonly p99TargetMs: number
  readonly cores: number
  readonly coresAreGuessed: boolean
  readonly seed: number
}

/** What RDS gives its memory-rich classes by default, for each processor: 8 GiB by the formula of `max_connections`. */
const CONNECTIONS_PER_CORE: Readonly<Record<EngineName, number>> = { postgresql: 901, mysql: 683 }

function guessedCores(maxConnections: number, engine: EngineName): number {
  return Math.min(256, Math.max(2, Math.round(maxConnections / CONNECTIONS_PER_CORE[engine])))
}

const MOST_MS = 900_000
export const MOST_CONCURRENCY = 10_000

/** @throws LeaseholdError `INVALID_OPTIONS` with every problem, one a line */
export function resolvePlanOptions(options: PlanOptions): ResolvedPlanOptions {
  const problems: string[] = []
  const whole = (name: string, value: number, min: number, max: number): number => {
    if (!Number.isInteger(value) || value < min || value > max)
      problems.push(`\`${name}\` must be a whole number from ${min} to ${max}, got ${value}`)
    return value
  }
  const { engine = 'postgresql', cores, seed = 1 } = options
  const maxConnections = whole('maxConnections', options.maxConnections, 10, 100_000)
  const ofServer = whole('reservedCount', options.reservedCount ?? reservedByDefault(engine), 0, 100_000)
  const otherCount = whole('otherCount', options.otherCount ?? 0, 0, 100_000)
  const left = maxConnections - ofServer - otherCount
  const headroomCount = whole('headroomCount', options.headroomCount ?? defaultHeadroom(left), 0, 100_000)
  const slotCount = Math.min(
    left - headroomCount,
    whole('loginLimitCount', options.loginLimitCount ?? 100_000, 1, 100_000),
  )
  whole('cores', cores ?? 1, 1, 256)
  whole('seed', seed, 0, 1_000_000_000)
  if (options.functions.length === 0) problems.push('`functions` must have one at least')
  const functions = options.functions.map((given, index) => resolvedFunction(given, index, problems))
  const longestMs = Math.max(0, ...functions.map(({ workMs, otherMs }) => workMs + otherMs))
  const p99TargetMs = options.p99TargetMs ?? 1_000 + longestMs
  if (!(p99TargetMs > longestMs))
    problems.push(
      `\`p99TargetMs\` must be longer than an invocation takes (${longestMs}), got ${p99TargetMs}`,
    )
  if (problems.length === 0 && slotCount < functions.length) {
    problems.push(
      `no slots are left for ${functions.length} functions: ${maxConnections} less ${ofServer} reserved, ${otherCount} of others and ${headroomCount} of headroom: raise \`maxConnections\`, or lower one of the others`,
    )
  }
  const mean = sum(functions, meanConcurrency)
  if (problems.length === 0 && mean > MOST_CONCURRENCY)
    problems.push(
      `${Math.ceil(mean)} invocations at once are more than can be simulated (${MOST_CONCURRENCY})`,
    )
  if (problems.length > 0) throw invalidOptions(...problems)
  return {
    engine,
    maxConnections,
    reservedCount: ofServer,
    otherCount,
    headroomCount,
    slotCount,
    functions,
    p99TargetMs,
    cores: cores ?? guessedCores(maxConnections, engine),
    coresAreGuessed: cores === undefined,
    seed,
  }
}

function resolvedFunction(given: PlannedFunction, index: number, problems: string[]): ResolvedFunction {
  const { name = `function ${index + 1}`, ratePerS, workMs, otherMs = 0, concurrency } = given
  const above0 = (field: string, value: number, max: number): void => {
    if (!(value > 0) || value > max)
      problems.push(`\`${field}\` of ${name} must be above 0 to ${max}, got ${value}`)
  }
  above0('ratePerS', ratePerS, 100_000)
  above0('workMs', workMs, MOST_MS)
  if (!(otherMs >= 0) || otherMs > MOST_MS)
    problems.push(`\`otherMs\` of ${name} must be 0 to ${MOST_MS}, got ${otherMs}`)
  const isWhole = Number.isInteger(concurrency) && Number(concurrency) >= 1
  if (concurrency !== undefined && (!isWhole || concurrency > MOST_CONCURRENCY))
    problems.push(
      `\`concurrency\` of ${name} must be a whole number from 1 to ${MOST_CONCURRENCY}, got ${concurrency}`,
    )
  return { name, ratePerS, workMs, otherMs, concurrency }
}
