// What every run goes through: one story, told twice on each engine.
import type { Engine } from '@leasehold/test-databases'

export type Variant = 'bare' | 'governed'

export type PhaseName = 'burst' | 'quiet' | 'taken-away' | 'second-function'

export interface Phase {
  readonly name: PhaseName
  /** For people, in the terminal and in the report. */
  readonly title: string
  readonly durationMs: number
}

export const VARIANTS: readonly Variant[] = ['bare', 'governed']

export const PHASES: readonly Phase[] = [
  { name: 'burst', title: 'burst', durationMs: 8_000 },
  { name: 'quiet', title: 'quiet spell', durationMs: 4_000 },
  { name: 'taken-away', title: 'environments taken away', durationMs: 2_500 },
  { name: 'second-function', title: 'second function', durationMs: 5_500 },
]

/** The servers' `max_connections`. How many of them an ordinary login can open is the server's own arithmetic. */
export const MAX_CONNECTIONS = 30
/** Requests of the first function in flight at any moment, each in an environment of its own. */
export const BURST_CLIENTS = 40
export const TAKEN_AWAY_COUNT = 15
export const SECOND_CLIENTS = 15
/** The function timeout, as Lambda has it. */
export const FUNCTION_TIMEOUT_MS = 5_000
/**
 * A client that got an error waits about as long as an answer takes: a quick refusal must not buy it more
 * requests than an answer would.
 */
export const PAUSE_AFTER_FAILURE_MS = 25
export const SAMPLE_EVERY_MS = 200
/** A phase that has not ended this long after its time is given up, and the demo with it. */
export const PHASE_GRACE_MS = 20_000

export const ENGINES: readonly Engine[] = ['postgresql', 'mariadb']

export const ENGINE_TITLES: Readonly<Record<Engine, string>> = {
  postgresql: 'PostgreSQL',
  mariadb: 'MariaDB',
  mysql: 'MySQL',
}

/** What the pool is called in each variant. */
export function poolName(engine: Engine, variant: Variant): string {
  if (variant === 'bare') return engine === 'postgresql' ? 'pg.Pool' : 'mysql2 createPool'
  return engine === 'postgresql' ? '@leasehold/pg-adapter' : '@leasehold/mysql-adapter'
}

export function variantTitle(variant: Variant): string {
  return variant === 'bare' ? 'bare pool' : 'governed'
}

export function phaseTitle(name: PhaseName): string {
  return PHASES.find((phase) => phase.name === name)?.title ?? name
}

export function phaseDurationMs(name: PhaseName): number {
  return PHASES.find((phase) => phase.name === name)?.durationMs ?? 0
}
