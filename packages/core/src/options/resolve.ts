/** One pass over the options: every problem in one error, nothing mutated, nothing silently replaced. */

import { invalidOptions } from '../errors.ts'
import { HOOK_NAMES } from '../events.ts'
import { consoleLogger, isLogger } from '../log.ts'
import { isMeter } from '../meter.ts'
import { type MetricsSink, noMetrics } from '../metrics.ts'
import { FIELDS, type Field } from './fields.ts'
import type { LeaseholdOptions, ResolvedOptions } from './options.ts'
import { suggest } from './suggest.ts'

/** Top-level names of our options. */
export const OPTION_NAMES: readonly string[] = [
  ...new Set(Object.keys(FIELDS).map((name) => name.split('.')[0] ?? name)),
]

type Bag = Readonly<Record<string, unknown>>

/** Splits one options object into ours and the driver's. Copies; the caller's object stays as it is. */
export function splitOptions(options: object): { own: LeaseholdOptions; driver: Record<string, unknown> } {
  const own: Record<string, unknown> = {}
  const driver: Record<string, unknown> = {}
  // Hidden ones too: drivers and libraries hide a password from printing by making it not enumerable.
  for (const name of Object.getOwnPropertyNames(options)) {
    const value = (options as Bag)[name]
    if (OPTION_NAMES.includes(name)) own[name] = value
    else driver[name] = value
  }
  return { own, driver }
}

/**
 * Checks our options and fills in the defaults.
 *
 * @param driver the driver's options; a name in them that looks like a misspelt one of ours is a
 *   problem, unless `driverNames` has it
 * @param problems found by the adapter in the driver's options, to be told in the same error
 * @throws LeaseholdError `INVALID_OPTIONS` with every problem, one a line
 */
export function resolveOptions(
  own: LeaseholdOptions,
  driver: Bag = {},
  driverNames: readonly string[] = [],
  problems: readonly string[] = [],
): ResolvedOptions {
  const found = [...problems, ...misspelt(driver, driverNames)]
  const value = (name: string): unknown => read(own as Bag, name)
  const checked = new Map<string, unknown>()
  for (const [name, field] of Object.entries(FIELDS)) {
    const given = value(name)
    const problem = given === undefined ? undefined : check(name, field, given)
    if (problem !== undefined) found.push(problem)
    checked.set(name, valueOf(field, given))
  }
  found.push(...backoffProblems((own as Bag)['backoff']), ...hookProblems((own as Bag)['hooks']))
  found.push(
    ...order(checked, 'minLeaseMs', 'maxLeaseMs'),
    ...order(checked, 'backoff.baseMs', 'backoff.capMs'),
  )
  if (found.length > 0) {
    throw invalidOptions(...found)
  }
  const {
    'backoff.baseMs': backoffBaseMs,
    'backoff.capMs': backoffCapMs,
    ...rest
  } = Object.fromEntries(checked)
  return Object.freeze({ ...rest, backoffBaseMs, backoffCapMs } as unknown as ResolvedOptions)
}

function valueOf(field: Field, given: unknown): unknown {
  if (field.kind === 'logger') return given ?? consoleLogger
  // The caller's object may change later; what was checked must not.
  if (field.kind === 'hooks') return Object.freeze({ ...(given as object | undefined) })
  if (field.kind === 'sink') return given === undefined || given === 'off' ? noMetrics : given
  return given ?? field.default
}

function read(own: Bag, name: string): unknown {
  const [head = name, member] = name.split('.')
  const value = own[head]
  if (member === undefined) return value
  return typeof value === 'object' && value !== null ? (value as Bag)[member] : undefined
}

/** The problem with one value, or undefined where it is sound. */
export function check(name: string, field: Field, given: unknown): string | undefined {
  const got = describe(given)
  switch (field.kind) {
    case 'wholeMs':
      return typeof given === 'number' && Number.isInteger(given) && given >= field.min && given <= field.max
        ? undefined
        : `\`${name}\` must be a whole number of milliseconds from ${field.min} to ${field.max}, got ${got}`
    case 'share':
      return typeof given === 'number' && given >= field.min && given <= field.max
        ? undefined
        : `\`${name}\` must be a number from ${field.min} to ${field.max}, got ${got}`
    case 'count':
      return typeof given === 'number' && Number.isInteger(given) && given >= field.min && given <= field.max
        ? undefined
        : `\`${name}\` must be a whole number from ${field.min} to ${field.max}, got ${got}`
    case 'choice':
      return typeof given === 'string' && field.choices.includes(given)
        ? undefined
        : `\`${name}\` must be ${field.choices.map((choice) => `'${choice}'`).join(', ')}, got ${got}`
    case 'name':
      return typeof given === 'string' && /^[\w.-]+$/.test(given) && given.length <= field.maxLength
        ? undefined
        : `\`${name}\` must be 1 to ${field.maxLength} letters, digits, "_", "." or "-", got ${got}`
    case 'source':
      return typeof (given as { get?: unknown } | null)?.get === 'function'
        ? undefined
        : `\`${name}\` must be a source of credentials, such as \`iamToken()\` or \`secret(…)\`, got ${got}`
    case 'hook':
      return typeof given === 'function'
        ? undefined
        : `\`${name}\` must be a function that is given the new connection, got ${got}`
    case 'sink':
      return given === 'off' ? undefined : sinkProblem(name, given)
    case 'meter':
      return isMeter(given) ? undefined : `\`${name}\` must be a meter of OpenTelemetry, got ${got}`
    case 'hooks':
      return typeof given === 'object' && given !== null
        ? undefined
        : `\`${name}\` must be an object of functions, got ${got}`
    case 'switch':
      return typeof given === 'boolean' ? undefined : `\`${name}\` must be true or false, got ${got}`
    case 'logger':
      return isLogger(given)
        ? undefined
        : `\`${name}\` must have the methods \`warn\` and \`error\`, got ${got}`
  }
}

/**
 * A short picture of a wrong value. A string may be a secret that got into the wrong place, so it is
 * echoed only where it is a plain number, as one read from the environment is.
 */
function describe(given: unknown): string {
  if (typeof given === 'string')
    return /^-?[\d.]{1,9}$/.test(given) ? `'${given}'` : `a string of ${given.length} characters`
  if (typeof given === 'number' || typeof given === 'boolean' || given === null) return String(given)
  return typeof given
}

function backoffProblems(backoff: unknown): string[] {
  if (backoff === undefined) return []
  if (typeof backoff !== 'object' || backoff === null) {
    return [`\`backoff\` must be an object with \`baseMs\` and \`capMs\`, got ${describe(backoff)}`]
  }
  const members = ['baseMs', 'capMs']
  return Object.keys(backoff)
    .filter((name) => !members.includes(name))
    .map((name) => unknownOption(`backoff.${name}`, suggest(name, members), 'backoff.'))
}

function hookProblems(hooks: unknown): string[] {
  if (typeof hooks !== 'object' || hooks === null) return []
  return Object.entries(hooks).flatMap(([name, hook]) => {
    if (!HOOK_NAMES.includes(name))
      return [unknownOption(`hooks.${name}`, suggest(name, HOOK_NAMES), 'hooks.')]
    const isSound = hook === undefined || typeof hook === 'function'
    return isSound ? [] : [`\`hooks.${name}\` must be a function, got ${describe(hook)}`]
  })
}

function sinkProblem(name: string, given: unknown): string | undefined {
  const { everyMs, record, flush } = (given ?? {}) as Partial<Record<keyof MetricsSink, unknown>>
  if (typeof everyMs !== 'number' || typeof record !== 'function' || typeof flush !== 'function') {
    return `\`${name}\` must be a sink, such as \`cloudWatch(…)\` or \`emf(…)\`, or 'off', got ${describe(given)}`
  }
  return everyMs >= 1_000 && everyMs <= 900_000
    ? undefined
    : `\`${name}.everyMs\` must be a number of milliseconds from 1000 to 900000, got ${describe(everyMs)}`
}

function misspelt(driver: Bag, driverNames: readonly string[]): string[] {
  const found: string[] = []
  for (const name of Object.keys(driver)) {
    if (driverNames.includes(name) || driver[name] === undefined) continue
    const meant = suggest(name, OPTION_NAMES)
    if (meant !== undefined) found.push(unknownOption(name, meant))
  }
  return found
}

function unknownOption(name: string, meant: string | undefined, prefix = ''): string {
  return `unknown option \`${name}\`${meant === undefined ? '' : ` (did you mean \`${prefix}${meant}\`?)`}`
}

function order(checked: ReadonlyMap<string, unknown>, low: string, high: string): string[] {
  const lowValue = checked.get(low)
  const highValue = checked.get(high)
  if (typeof lowValue !== 'number' || typeof highValue !== 'number' || lowValue <= highValue) return []
  return [`\`${low}\` (${lowValue}) must not exceed \`${high}\` (${highValue})`]
}
