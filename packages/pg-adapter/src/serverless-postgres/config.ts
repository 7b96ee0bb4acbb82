/** The options of serverless-postgres, checked at once, and what they mean for a governed pool. */

import { invalidOptions, type LeaseholdOptions } from '@leasehold/core'
import pg from 'pg'

import { checkDriver, type PgModule } from '../driver.ts'
import { type PoolOptions, readOptions } from '../options.ts'
import type { ServerlessPlugin } from './plugin.ts'
import { patienceFor, type Waits, waitsOf } from './waits.ts'

export type Strategy = 'minimum_idle_time' | 'ranked'

/** Every option of `pg.Client`, of Leasehold, and of serverless-postgres, in one object. */
export interface ServerlessConfig extends pg.ClientConfig, LeaseholdOptions {
  /**
   * Which idle sessions `clean()` ends first: both end the longest idle first, `minimum_idle_time` only those
   * idle for longer than `minConnectionIdleTimeSec`.
   * @defaultValue 'minimum_idle_time'
   */
  readonly strategy?: Strategy | null | undefined
  /**
   * Seconds, 0 or more. A session idle for less than half a second more than `pingAfterIdleMs` is never ended,
   * whatever is asked here: its owner would send a statement without looking first.
   * @defaultValue 0.5
   */
  readonly minConnectionIdleTimeSec?: number | null | undefined
  /**
   * The most sessions that one `clean()` ends; never more than are over the threshold. 0 ends none.
   * @defaultValue null, no limit but the threshold
   */
  readonly maxIdleConnectionsToKill?: number | null | undefined
  /**
   * The threshold: used slots / slots, 0 to 1. Also the pool's `targetPressure`, where that is not given.
   * @defaultValue 0.8
   */
  readonly connUtilization?: number | null | undefined
  /**
   * Use at most so many of the server's slots, whatever it has. Without it the server's own count holds.
   * @defaultValue the server's slots, less those that are reserved
   */
  readonly maxConnections?: number | null | undefined
  /** Heard with a `plugin` only; otherwise every count brings the server's limit with it. @defaultValue false */
  readonly manualMaxConnections?: boolean | null | undefined
  /** How long a `plugin`'s limit is believed. Milliseconds; 0 asks each time. @defaultValue 60000 */
  readonly maxConnsFreqMs?: number | null | undefined
  /** False counts after every `clean()`, as `processCountFreqMs: 0` does. @defaultValue true */
  readonly processCountCacheEnabled?: boolean | null | undefined
  /** How old a count may be before `clean()` asks for another. Milliseconds. @defaultValue 6000 */
  readonly processCountFreqMs?: number | null | undefined
  /** The longest wait between two connects. Milliseconds. @defaultValue the policy's, see `backoff` */
  readonly capMs?: number | null | undefined
  /** The shortest wait between two connects. Milliseconds. @defaultValue the policy's, see `backoff` */
  readonly baseMs?: number | null | undefined
  /** Waits are drawn from `baseMs` to three times this. Milliseconds. @defaultValue the policy's, see `backoff` */
  readonly delayMs?: number | null | undefined
  /**
   * How often a connect is tried again; a statement that was lost never is for this. 0 tries once.
   * @defaultValue no limit but `acquireTimeoutMs`
   */
  readonly maxRetries?: number | null | undefined
  /** Taken, and without effect: a change of server, user or database is always heard, one of password never costs a session. */
  readonly allowCredentialsDiffing?: boolean | null | undefined
  /** Part of the label that sessions carry; `clean()` ends sessions with the same one. @defaultValue 'serverless_client' */
  readonly application_name?: string | undefined
  /** The driver, for instance one captured for tracing. @defaultValue the `pg` beside this package */
  readonly library?: PgModule | null | undefined
  /** SQL for a server that only speaks PostgreSQL's protocol. @defaultValue PostgreSQL's own */
  readonly plugin?: ServerlessPlugin | null | undefined
  /** Prints what `clean()` does; never a statement or a secret. @defaultValue false */
  readonly debug?: boolean | null | undefined
}

/** What `clean()` goes by. */
export interface CleanSettings {
  readonly strategy: Strategy
  readonly minIdleSec: number
  readonly mostToEnd: number | undefined
  readonly utilization: number
  readonly maxConnections: number | undefined
  readonly asksForMax: boolean
  readonly maxFreqMs: number
  readonly countFreqMs: number
  readonly applicationName: string
  readonly fleet: string
  readonly plugin: ServerlessPlugin | undefined
  readonly debug: boolean
}

export interface ReadConfig {
  readonly clean: CleanSettings
  readonly library: PgModule
  readonly waits: Waits | undefined
  /** The governed pool's options, the password still in them. */
  readonly pool: PoolOptions
}

const DEFAULT_NAME = 'serverless_client'
const DEFAULT_PING_MS = 1_000
/** A ping is decided on by this side's clock, an end by the server's: so far may they be apart. */
const PING_MARGIN_MS = 500

/** @throws LeaseholdError `INVALID_OPTIONS` with every problem; `UNSUPPORTED_DRIVER` */
export function readConfig(config: ServerlessConfig): ReadConfig {
  const { strategy, minConnectionIdleTimeSec, maxIdleConnectionsToKill, connUtilization, plugin } = config
  const { maxConnections, manualMaxConnections, maxConnsFreqMs, debug, library } = config
  const { processCountCacheEnabled, processCountFreqMs, connectionTimeoutMillis } = config
  check(config)
  const pool: PoolOptions = {
    ...patienceFor(config),
    ...(connUtilization == null ? {} : { targetPressure: Math.max(connUtilization, 0.1) }),
    // Of a client it limits one connect; a pool would take it for the whole wait.
    ...(connectionTimeoutMillis ? { connectTimeoutMs: connectionTimeoutMillis } : {}),
    ...Object.fromEntries(Object.entries(config).filter(([name]) => !ANCESTOR_NAMES.includes(name))),
    application_name: config.application_name ?? DEFAULT_NAME,
    max: 1,
  }
  const { resolved } = readOptions(pool)
  const driver = library ?? pg
  checkDriver(driver)
  const pingAfterIdleMs = resolved.pingAfterIdleMs ?? DEFAULT_PING_MS
  const askedIdleSec = strategy === 'ranked' ? 0 : (minConnectionIdleTimeSec ?? 0.5)
  return {
    pool,
    library: driver,
    waits: waitsOf(config),
    clean: {
      strategy: strategy ?? 'minimum_idle_time',
      minIdleSec: Math.max(askedIdleSec, (pingAfterIdleMs + PING_MARGIN_MS) / 1_000),
      mostToEnd: maxIdleConnectionsToKill ?? undefined,
      utilization: connUtilization ?? 0.8,
      maxConnections: maxConnections ?? undefined,
      asksForMax: manualMaxConnections ?? false,
      maxFreqMs: maxConnsFreqMs ?? 60_000,
      countFreqMs: processCountCacheEnabled === false ? 0 : (processCountFreqMs ?? 6_000),
      applicationName: config.application_name ?? DEFAULT_NAME,
      fleet: resolved.fleet,
      plugin: plugin ?? undefined,
      debug: debug ?? false,
    },
  }
}

const NUMBERS = [
  'minConnectionIdleTimeSec',
  'maxIdleConnectionsToKill',
  'maxConnections',
  'maxConnsFreqMs',
  'processCountFreqMs',
  'capMs',
  'baseMs',
  'delayMs',
  'maxRetries',
] as const
const SWITCHES = [
  'manualMaxConnections',
  'processCountCacheEnabled',
  'allowCredentialsDiffing',
  'debug',
] as const
/** Not the pool's, nor the driver's where they mean something else there. */
const ANCESTOR_NAMES: readonly string[] = [
  ...NUMBERS,
  ...SWITCHES,
  'strategy',
  'connUtilization',
  'library',
  'plugin',
  'connectionTimeoutMillis',
]
const PLUGIN_METHODS = [
  'getIdleProcessesListByMinimumTimeout',
  'getIdleProcessesListOrderByDate',
  'processCount',
  'killProcesses',
  'showMaxConnections',
] as const

function check(config: ServerlessConfig): void {
  const problems: string[] = []
  for (const name of NUMBERS) {
    const given: unknown = config[name]
    if (given != null && !(typeof given === 'number' && Number.isFinite(given) && given >= 0))
      problems.push(`\`${name}\` must be a number, 0 or more`)
  }
  for (const name of SWITCHES) {
    const given: unknown = config[name]
    if (given != null && typeof given !== 'boolean') problems.push(`\`${name}\` must be true or false`)
  }
  const { connUtilization, strategy, plugin } = config
  if (connUtilization != null && !(connUtilization >= 0 && connUtilization <= 1))
    problems.push('`connUtilization` must be a number from 0 to 1')
  if (strategy != null && strategy !== 'minimum_idle_time' && strategy !== 'ranked')
    problems.push("`strategy` must be 'minimum_idle_time' or 'ranked'")
  const missing = plugin == null ? [] : PLUGIN_METHODS.filter((name) => typeof plugin[name] !== 'function')
  if (missing.length > 0) problems.push(`\`plugin\` lacks ${missing.join(', ')}`)
  if (problems.length > 0) throw invalidOptions(...problems)
}
