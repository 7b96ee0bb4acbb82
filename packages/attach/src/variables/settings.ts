/** What the environment asks for, read once: every problem in one, and nothing silently replaced. */

import { createRequire } from 'node:module'

import {
  consoleLogger,
  type CredentialSource,
  type Env,
  type Hooks,
  invalidOptions,
  type LeaseholdError,
  type LeaseholdOptions,
  type Logger,
  type Meter,
  type MetricName,
  type MetricsSink,
  OPTION_NAMES,
  resolveOptions,
  suggest,
} from '@leasehold/core'
import type * as awsEntry from '@leasehold/core/aws'

import { Problem } from './variable.ts'
import { PREFIX, variableOf, VARIABLES } from './variables.ts'

export interface Settings {
  readonly level: 'drivers' | 'sockets' | 'off'
  /** `Infinity` where none is dropped. */
  readonly dropAfterMs: number
  readonly databasePorts: readonly number[]
  readonly maxConnections: number | undefined
  readonly afterResponse: boolean
  readonly afterResponseMs: number
  /** Of a pool or connection that is found now. */
  readonly options: () => LeaseholdOptions
  /** Set where some variable cannot be right: then `level` is `sockets` at most, and the rest as if unset. */
  readonly problem: LeaseholdError | undefined
}

type Values = Readonly<Record<string, unknown>>

/** Never throws. */
export function readSettings(env: Env): Settings {
  const problems = misspelt(env)
  const values: Record<string, unknown> = {}
  for (const [key, variable] of Object.entries(VARIABLES)) {
    const { name } = variable
    const text = env[name]
    if (text === undefined || text === '') continue
    try {
      values[key] = variable.read(text)
    } catch (error) {
      problems.push(error instanceof Problem ? error.message : `\`${name}\` cannot be read`)
    }
  }
  const options = problems.length === 0 ? optionsOf(values, problems) : {}
  const sound = problems.length === 0
  const kept = sound ? values : {}
  const level = (values['level'] as Settings['level'] | undefined) ?? 'drivers'
  return {
    level: sound || level === 'off' ? level : 'sockets',
    // Outside a pool nobody makes another, and a live one may be silent for long: only where it was asked for.
    dropAfterMs:
      (kept['dropAfterMs'] as number | undefined) ?? (kept['level'] === 'sockets' ? 60_000 : Infinity),
    databasePorts: (kept['databasePorts'] as number[] | undefined) ?? [5432, 5433, 6432, 3306],
    maxConnections: kept['maxConnections'] as number | undefined,
    afterResponse: (kept['afterResponse'] as boolean | undefined) ?? false,
    afterResponseMs: (kept['afterResponseMs'] as number | undefined) ?? 20,
    options: () => ({ ...options, ...(kept['meter'] === 'global' ? { meter: globalMeter() } : {}) }),
    problem: sound ? undefined : invalidOptions(...problems),
  }
}

/** A name that is nearly one of ours; others are somebody else's. */
function misspelt(env: Env): string[] {
  const names = Object.values(VARIABLES).map(({ name }) => name)
  const known = new Map(names.map((name) => [inShort(name), name]))
  return Object.keys(env)
    .filter((name) => name.startsWith(PREFIX) && !names.includes(name))
    .flatMap((name) => {
      const meant = known.get(suggest(inShort(name), [...known.keys()]) ?? '')
      return meant === undefined ? [] : [`unknown variable \`${name}\` (did you mean \`${meant}\`?)`]
    })
}

/** As slips leave it: `DROP_AFTER` and `DROPAFTERMS` are both near to `DROP_AFTER_MS`. */
function inShort(name: string): string {
  return name.slice(PREFIX.length).replaceAll('_', '').toLowerCase()
}

function optionsOf(values: Values, problems: string[]): LeaseholdOptions {
  const plain = Object.entries(values).filter(([key]) => OPTION_NAMES.includes(key))
  const { 'backoff.baseMs': baseMs, 'backoff.capMs': capMs, onSession: sql } = values
  try {
    const options: LeaseholdOptions = {
      ...Object.fromEntries(plain),
      ...(baseMs === undefined && capMs === undefined ? {} : { backoff: { baseMs, capMs } as never }),
      credentials: credentialsOf(values),
      metrics: sinkOf(values),
      meter: undefined,
      hooks: hooksOf(values),
      logger: values['logger'] === 'off' ? SILENT : consoleLogger,
      onSession: sql === undefined ? undefined : (session: Session) => session.query(sql as string),
    }
    resolveOptions(options)
    return options
  } catch (error) {
    // In the words of options: `minLeaseMs` (5000) must not exceed `maxLeaseMs` (2000).
    const message = error instanceof Error ? error.message : String(error)
    problems.push(
      message
        .replace(/^invalid options:\n - /, '')
        .replaceAll(/`([a-z][\w.]*)`/gi, (quoted, name: string) =>
          VARIABLES[name] === undefined ? quoted : `\`${variableOf(name)}\``,
        ),
    )
    return {}
  }
}

interface Session {
  query(sql: string): unknown
}

const SILENT: Logger = { warn: () => undefined, error: () => undefined }

/** Loaded when asked for: most functions want nothing of it, and a cold start pays for what it loads. */
function aws(): typeof awsEntry {
  return createRequire(import.meta.url)('@leasehold/core/aws') as typeof awsEntry
}

function credentialsOf({
  secretArn,
  secretFrom,
  iam = 'off',
  iamFrom,
}: Values): CredentialSource | undefined {
  if (secretArn !== undefined && iam !== 'off') {
    throw new Problem('`LEASEHOLD_SECRET_ARN` and `LEASEHOLD_IAM` are two ways to log in: leave one out')
  }
  if (iam !== 'off') {
    return aws().iamToken({
      service: iam as 'rds' | 'dsql',
      source: iamFrom as awsEntry.IamTokenOptions['source'],
    })
  }
  if (secretArn === undefined) return undefined
  return aws().secret(secretArn as string, { source: secretFrom as awsEntry.SecretOptions['source'] })
}

function sinkOf({
  metrics = 'off',
  metricsNamespace,
  metricsEveryMs,
  metricsOnly,
}: Values): MetricsSink | 'off' {
  if (metrics === 'off') return 'off'
  const { cloudWatch, emf, sidecarMetrics } = aws()
  const sinks: Record<string, typeof cloudWatch> = { emf, cloudwatch: cloudWatch, sidecar: sidecarMetrics }
  return (sinks[metrics as string] ?? cloudWatch)({
    namespace: (metricsNamespace as string | undefined) ?? 'Leasehold',
    everyMs: metricsEveryMs as number | undefined,
    only: metricsOnly as readonly MetricName[] | undefined,
  })
}

interface GlobalTelemetry {
  readonly metrics?: { getMeter(name: string): Meter }
}

/** Where OpenTelemetry's API keeps what is registered, whichever copy of it is loaded. */
const TELEMETRY = Symbol.for('opentelemetry.js.api.1')

/** A provider is registered when the application gets to it: asked for with each pool, and not before. */
function globalMeter(): Meter | undefined {
  const holder = globalThis as { [TELEMETRY]?: GlobalTelemetry }
  return holder[TELEMETRY]?.metrics?.getMeter('@leasehold/attach')
}

function hooksOf({ hooks }: Values): Hooks | undefined {
  return hooks === undefined ? undefined : (createRequire('/')(hooks as string) as Hooks)
}
