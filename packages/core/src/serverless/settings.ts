/** Checks the options of a serverless client, all at once, and says what they mean for a governed pool. */

import { invalidOptions } from '../errors.ts'
import type { LeaseholdOptions } from '../options/options.ts'
import { suggest } from '../options/suggest.ts'
import type { ServerlessCallbacks, ServerlessOptions } from './options.ts'
import type { Backoff, Pacing } from './pacing.ts'

export interface Settings {
  readonly callbacks: ServerlessCallbacks<unknown>
  readonly isManaged: boolean
  readonly maxRetries: number
  /** Undefined: the policy's own pace. */
  readonly connectPacing: Pacing | undefined
  readonly maxQueryRetries: number
  readonly queryPacing: Pacing
  readonly replaysAlways: boolean
  readonly returnsSql: boolean
  /** What the options mean for the pool; options in `config` win. */
  readonly pool: LeaseholdOptions
}

type Given = ServerlessOptions<unknown, unknown, never>
type Check = (value: unknown) => string | undefined

const NAMES: readonly string[] = ['full', 'decorrelated']

const wholeNumber: Check = (value) =>
  Number.isSafeInteger(value) && (value as number) >= 0 ? undefined : 'a whole number from 0'
const flag: Check = (value) => (typeof value === 'boolean' ? undefined : 'true or false')
const callback: Check = (value) => (typeof value === 'function' ? undefined : 'a function')
const anything: Check = () => undefined
const backoff: Check = (value) =>
  typeof value === 'function' || (typeof value === 'string' && NAMES.includes(value.toLowerCase()))
    ? undefined
    : "'full', 'decorrelated' or a function of the wait before and the number of retries"
const utilization: Check = (value) =>
  typeof value === 'number' && value >= 0 ? undefined : 'a number, 0 to 1'
const replay: Check = (value) =>
  value === 'unread' || value === 'always' ? undefined : "'unread' or 'always'"

const CHECKS: Readonly<Record<keyof Given, Check>> = {
  library: (value) =>
    typeof value === 'object' || typeof value === 'function' ? undefined : 'a driver module',
  promise: callback,
  config: anything,
  manageConns: flag,
  connUtilization: utilization,
  backoff,
  base: wholeNumber,
  cap: wholeNumber,
  maxRetries: wholeNumber,
  maxConnsFreq: wholeNumber,
  usedConnsFreq: wholeNumber,
  zombieMinTimeout: wholeNumber,
  zombieMaxTimeout: wholeNumber,
  returnFinalSqlQuery: flag,
  maxQueryRetries: wholeNumber,
  queryRetryBackoff: backoff,
  replayLost: replay,
  onConnect: callback,
  onConnectError: callback,
  onRetry: callback,
  onClose: callback,
  onError: callback,
  onKill: callback,
  onKillError: callback,
  onQueryRetry: callback,
}

const DEFAULT_BASE_MS = 2
const DEFAULT_CAP_MS = 100
const DEFAULT_RETRIES = 50
const DEFAULT_MIN_LEASE_MS = 2_000
const DEFAULT_MAX_LEASE_MS = 300_000

/** @throws LeaseholdError `INVALID_OPTIONS` with every problem, one a line */
export function settingsOf(given: Given): Settings {
  const problems = problemsIn(given)
  if (problems.length > 0) throw invalidOptions(...problems)
  const { base: baseMs = DEFAULT_BASE_MS, cap: capMs = DEFAULT_CAP_MS } = given
  const pacesItself = given.backoff !== undefined || given.base !== undefined || given.cap !== undefined
  const pacing = (by: Given['backoff']): Pacing => ({ backoff: named(by ?? 'full'), baseMs, capMs })
  return {
    callbacks: given as ServerlessCallbacks<unknown>,
    isManaged: given.manageConns !== false,
    maxRetries: given.maxRetries ?? DEFAULT_RETRIES,
    connectPacing: pacesItself ? pacing(given.backoff) : undefined,
    maxQueryRetries: given.maxQueryRetries ?? 0,
    queryPacing: pacing(given.queryRetryBackoff),
    replaysAlways: given.replayLost === 'always',
    returnsSql: given.returnFinalSqlQuery === true,
    pool: poolOptions(given),
  }
}

function poolOptions(given: Given): LeaseholdOptions {
  const { connUtilization, usedConnsFreq, zombieMinTimeout, zombieMaxTimeout } = given
  return {
    ...(given.manageConns === false ? { lease: 'off' } : {}),
    ...(connUtilization === undefined ? {} : { targetPressure: clamp(connUtilization, 0.1, 1) }),
    ...(usedConnsFreq === undefined ? {} : { censusEveryMs: clamp(usedConnsFreq, 100, 600_000) }),
    ...leases(zombieMinTimeout, zombieMaxTimeout),
  }
}

/** In any case: the ancestor took names in capitals too. */
function named(by: Backoff): Backoff {
  return typeof by === 'string' ? (by.toLowerCase() as Backoff) : by
}

/** Where one of the two is given, the other's default gives way. */
function leases(min: number | undefined, max: number | undefined): LeaseholdOptions {
  if (min === undefined && max === undefined) return {}
  const minLeaseMs = min === undefined ? Math.min(DEFAULT_MIN_LEASE_MS, leaseMs(max ?? 1)) : leaseMs(min)
  const maxLeaseMs = max === undefined ? Math.max(DEFAULT_MAX_LEASE_MS, minLeaseMs) : leaseMs(max)
  return { minLeaseMs, maxLeaseMs }
}

function problemsIn(given: Given): string[] {
  const problems: string[] = []
  for (const [name, value] of Object.entries(given)) {
    const check = (CHECKS as Readonly<Record<string, Check | undefined>>)[name]
    if (check === undefined) {
      const meant = suggest(name, Object.keys(CHECKS))
      if (meant !== undefined) problems.push(`unknown option \`${name}\` (did you mean \`${meant}\`?)`)
      continue
    }
    const wanted = value === undefined ? undefined : check(value)
    if (wanted !== undefined) problems.push(`\`${name}\` must be ${wanted}, got ${describe(value)}`)
  }
  const { zombieMinTimeout: min, zombieMaxTimeout: max } = given
  if (typeof min === 'number' && typeof max === 'number' && min > max) {
    problems.push(`\`zombieMinTimeout\` (${min}) must not exceed \`zombieMaxTimeout\` (${max})`)
  }
  return problems
}

/** A string may be a secret that got into the wrong place. */
function describe(value: unknown): string {
  if (typeof value === 'string') return `a string of ${value.length} characters`
  return typeof value === 'number' || value === null ? String(value) : typeof value
}

function leaseMs(seconds: number): number {
  return clamp(seconds, 1, 900) * 1_000
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high)
}
