/** The options of a governed pool: the driver's and ours in one object, told apart here. */

import { inspect } from 'node:util'

import {
  type Env,
  type LeaseholdOptions,
  type ResolvedOptions,
  resolveOptions,
  splitOptions,
  systemEnv,
} from '@leasehold/core'
import type pg from 'pg'

/** Everything `pg.Pool` takes, and Leasehold's own options. */
export type PoolOptions = Omit<pg.PoolConfig, 'Client'> & LeaseholdOptions

/** The driver's own option names: never taken for a misspelt one of ours. */
const DRIVER_NAMES = [
  'allowExitOnIdle', 'application_name', 'binary', 'client_encoding', 'Client', 'connection', 'connectionString',
  'connectionTimeoutMillis', 'database', 'enableChannelBinding', 'encoding', 'fallback_application_name', 'host',
  'idle_in_transaction_session_timeout', 'idleTimeoutMillis', 'keepAlive', 'keepAliveInitialDelayMillis',
  'lock_timeout', 'log', 'max', 'maxLifetimeSeconds', 'maxUses', 'min', 'onConnect', 'options', 'password', 'pipeline',
  'poolSize', 'port', 'Promise', 'query_timeout', 'replication', 'scramMaxIterations', 'ssl', 'sslmode',
  'sslnegotiation', 'statement_timeout', 'stream', 'types', 'user', 'verify',
] // prettier-ignore

export interface SplitOptions {
  readonly resolved: ResolvedOptions
  /** What the driver gets. */
  readonly driver: Record<string, unknown>
}

/** @throws LeaseholdError `INVALID_OPTIONS` with every problem */
export function readOptions(options: object): SplitOptions {
  const { own, driver } = splitOptions(options)
  // The driver's one limit for waiting and connecting, where it is given, is ours too.
  const limitMs = driver['connectionTimeoutMillis']
  const acquire = typeof limitMs === 'number' && limitMs > 0 ? { acquireTimeoutMs: limitMs } : {}
  const resolved = resolveOptions({ ...acquire, ...own }, driver, DRIVER_NAMES, problemsIn(driver, own))
  return { resolved, driver }
}

function problemsIn(driver: Readonly<Record<string, unknown>>, own: LeaseholdOptions): string[] {
  const problems: string[] = []
  const startup = driver['options']
  if (typeof startup === 'string' && startup.includes('idle_session_timeout') && own.lease !== 'off') {
    problems.push(
      "`options` sets idle_session_timeout, which is the lease: use `maxLeaseMs` and `minLeaseMs`, or `lease: 'off'`",
    )
  }
  const mode = modeIn(driver['connectionString'])
  if (mode !== undefined && isDefeatedBy(mode, driver['ssl'])) {
    problems.push(
      `\`ssl\` would not be heard: \`${mode}\` in \`connectionString\` takes its place, and that of a \`ca\` in it; ` +
        'leave one of the two out',
    )
  }
  const max = driver['max']
  if (max !== undefined && !(typeof max === 'number' && Number.isInteger(max) && max >= 1)) {
    problems.push('`max` must be a whole number of connections, at least 1')
  }
  return problems
}

/** Whether the application has decided about TLS itself: by option, connection string or environment. */
export function saysWhetherTls(config: unknown, env: Env = systemEnv): boolean {
  const { ssl, connectionString } = (config ?? {}) as { ssl?: unknown; connectionString?: unknown }
  return ssl !== undefined || env['PGSSLMODE'] !== undefined || modeIn(connectionString) !== undefined
}

/** Plain `ssl: true` verifies by Node's own authorities, and so do most modes. */
function isDefeatedBy(mode: string, ssl: unknown): boolean {
  if (ssl === true) return /=(?:disable|no-verify|false|0)$/.test(mode)
  return typeof ssl === 'object' && ssl !== null
}

/** The parameter of a connection string that decides about TLS, as `sslmode=require`; of a path, its name alone. */
function modeIn(connectionString: unknown): string | undefined {
  return typeof connectionString === 'string'
    ? /[?&](ssl(?:mode|rootcert|cert|key)?=[\w-]*)/.exec(connectionString)?.[1]
    : undefined
}

/**
 * The driver's pool options as a governed pool has them.
 *
 * @param ownMax its size where it is given none; undefined leaves it to the driver
 */
export function poolConfig(
  driver: Readonly<Record<string, unknown>>,
  ownMax: number | undefined,
): Record<string, unknown> {
  const max = driver['max'] ?? driver['poolSize'] ?? ownMax
  return {
    ...driver,
    ...(max === undefined ? {} : { max }),
    // Leases end idle connections; a timer would not run while the environment is frozen.
    idleTimeoutMillis: driver['idleTimeoutMillis'] ?? 0,
    // Waits and attempts have deadlines of ours.
    connectionTimeoutMillis: 0,
    [inspect.custom]: withoutSecrets,
    toJSON: withoutSecrets,
  }
}

/**
 * What is printed instead of a pool's options, by `JSON.stringify` too. The driver hides a password of its
 * own, but no connection string.
 */
function withoutSecrets(this: Readonly<Record<string, unknown>>): object {
  const shown = Object.fromEntries(Object.entries(this))
  return shown['connectionString'] === undefined ? shown : { ...shown, connectionString: '(hidden)' }
}
