/** What most tests start from: a clock that stands still, a known random, and a logger that only listens. */

import type { Census } from '../src/census.ts'
import { Diagnostics } from '../src/diagnostics.ts'
import type { Env } from '../src/env.ts'
import { Knowledge } from '../src/knowledge.ts'
import { LimitedLog, type Logger } from '../src/log.ts'
import type { Observe } from '../src/metrics.ts'
import type { LeaseholdOptions, ResolvedOptions } from '../src/options/options.ts'
import { resolveOptions } from '../src/options/resolve.ts'
import { newStats, type Stats } from '../src/stats.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { ScriptedRandom } from '../src/testing/scripted-random.ts'

export class ListeningLogger implements Logger {
  readonly warnings: string[] = []
  readonly errors: string[] = []

  warn(message: string): void {
    this.warnings.push(message)
  }

  error(message: string): void {
    this.errors.push(message)
  }
}

export interface Scene {
  readonly clock: ManualClock
  readonly random: ScriptedRandom
  readonly logger: ListeningLogger
  readonly options: ResolvedOptions
  readonly env: Record<string, string | undefined>
  readonly knowledge: Knowledge
  readonly stats: Stats
  readonly log: LimitedLog
  readonly diagnostics: Diagnostics
  readonly observe: Observe
  /** What was measured, in order. */
  readonly observed: [name: string, value: number][]
  readonly acquireLimitMs: number
}

export function setScene(given: LeaseholdOptions = {}, env: Env = {}): Scene {
  const clock = new ManualClock()
  const random = new ScriptedRandom(0.5)
  const logger = new ListeningLogger()
  const options = resolveOptions({ logger, ...given })
  const mutableEnv = { ...env }
  const log = new LimitedLog(options.logger, clock)
  const observed: [string, number][] = []
  const place = { fleet: options.fleet, engine: 'postgresql', target: 'unknown' }
  return {
    clock,
    random,
    logger,
    options,
    env: mutableEnv,
    knowledge: new Knowledge(options, clock, random, mutableEnv),
    stats: newStats(),
    log,
    diagnostics: new Diagnostics(options.hooks, () => place, log),
    observe: (name, value) => void observed.push([name, value]),
    observed,
    acquireLimitMs: options.acquireTimeoutMs,
  }
}

export function census(usedCount: number, slotCount: number, more: Partial<Census> = {}): Census {
  return { usedCount, slotCount, labels: [], refusedCount: undefined, ...more }
}

/** Resolves to what `work` rejects with, so that a test can look at it. */
export async function rejectionOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work
  } catch (error) {
    return error
  }
  throw new Error('expected a rejection')
}

/** What is rejected and left to nobody while `work` runs, and in the turn after it. */
export async function unhandledDuring(work: () => unknown): Promise<unknown[]> {
  const unhandled: unknown[] = []
  const hear = (reason: unknown): void => void unhandled.push(reason)
  process.on('unhandledRejection', hear)
  try {
    await work()
    await new Promise((resolve) => setImmediate(resolve))
  } finally {
    process.off('unhandledRejection', hear)
  }
  return unhandled
}
