// The command line: `simulate [name…] [--environments n] [--limit m] [--seconds s] [--seed k] [--runs n] [--policy p] …`.
import { parseArgs } from 'node:util'

import { type EngineName, ENGINES } from './costs.ts'
import type { Overrides } from './policies/leasehold.ts'
import { GROUPS, SCENARIOS } from './scenarios.ts'
import { POLICIES, type PolicyName, type Scenario } from './simulation.ts'

export interface Request {
  readonly scenarios: readonly Scenario[]
  readonly policies: readonly PolicyName[]
  readonly engines: readonly EngineName[]
  /** A run for each. */
  readonly seeds: readonly number[]
  readonly overrides: Overrides
  /** Where the raw figures go. */
  readonly json: string | undefined
}

/** Something on the command line that makes no sense; the message says what would. */
export class UsageError extends Error {
  override name = 'UsageError'
}

/** Options of the product that a run may change, beyond the product's own bounds. */
const SETTINGS = [
  'minLeaseMs',
  'maxLeaseMs',
  'targetPressure',
  'censusEveryMs',
  'acquireTimeoutMs',
  'backoffBaseMs',
  'backoffCapMs',
] as const

const OPTIONS = {
  environments: { type: 'string' },
  limit: { type: 'string' },
  seconds: { type: 'string' },
  seed: { type: 'string' },
  runs: { type: 'string' },
  policy: { type: 'string', multiple: true },
  engine: { type: 'string', multiple: true },
  set: { type: 'string', multiple: true },
  json: { type: 'string' },
} as const

export function requestOf(args: readonly string[]): Request {
  const { values, positionals } = parsed(args)
  const environments = whole('environments', values.environments, 1, 100_000)
  const limit = whole('limit', values.limit, 10, 100_000)
  const seconds = whole('seconds', values.seconds, 1, 86_400)
  const seed = whole('seed', values.seed, 0, 1_000_000_000) ?? 1
  const runs = whole('runs', values.runs, 1, 1_000) ?? 1
  const scenarios = (positionals.length === 0 ? ['worlds'] : positionals).flatMap(named)
  return {
    scenarios: scenarios.map((scenario) => changed(scenario, environments, limit, seconds)),
    policies: chosen('policy', values.policy ?? ['leasehold', 'oracle', 'proxy'], POLICIES),
    engines: chosen('engine', values.engine ?? ['postgresql'], ENGINES),
    seeds: Array.from({ length: runs }, (_, index) => seed + index),
    overrides: settings(values.set ?? []),
    json: values.json,
  }
}

// Inferred: what `parseArgs` returns follows from the options.
function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

function named(name: string): readonly Scenario[] {
  const group = GROUPS.get(name)
  if (group !== undefined) return group
  const scenario = SCENARIOS.get(name)
  if (scenario !== undefined) return [scenario]
  const known = [...GROUPS.keys(), ...SCENARIOS.keys()].join(', ')
  throw new UsageError(`no scenario is called \`${name}\`; there are ${known}`)
}

function changed(
  scenario: Scenario,
  environments: number | undefined,
  limit: number | undefined,
  seconds: number | undefined,
): Scenario {
  return {
    ...scenario,
    maxConnections: limit ?? scenario.maxConnections,
    seconds: seconds ?? scenario.seconds,
    fleets: scenario.fleets.map((fleet) => {
      if (environments === undefined) return fleet
      const { load } = fleet
      if (load.kind === 'closed') return { ...fleet, environments }
      return { ...fleet, environments, load: { ...load, warm: Math.min(load.warm, environments) } }
    }),
  }
}

function whole(name: string, text: string | undefined, min: number, max: number): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (text.trim() !== '' && Number.isInteger(value) && value >= min && value <= max) return value
  throw new UsageError(`--${name} must be a whole number from ${min} to ${max}, got \`${text}\``)
}

function chosen<T extends string>(name: string, given: readonly string[], known: readonly T[]): readonly T[] {
  return given
    .flatMap((text) => text.split(','))
    .map((text) => {
      const found = known.find((each) => each === text)
      if (found === undefined) {
        throw new UsageError(`--${name} must be one of ${known.join(', ')}, got \`${text}\``)
      }
      return found
    })
}

/** `minLeaseMs=500`. */
function settings(given: readonly string[]): Overrides {
  const overrides: Record<string, number> = {}
  for (const text of given) {
    const [name = '', value = ''] = text.split('=')
    const number = Number(value)
    if (!SETTINGS.some((known) => known === name) || value === '' || !Number.isFinite(number) || number < 0) {
      throw new UsageError(`--set takes name=number with one of ${SETTINGS.join(', ')}, got \`${text}\``)
    }
    overrides[name] = number
  }
  return overrides
}
