/**
 * How many connections a pool may have where nobody says so. An environment of Managed Instances runs the function
 * in several threads, each with its own modules and pools, and they divide what the environment may have.
 */

import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'

import { type Env, functionName, runsSeveralInvocations } from './env.ts'
import type { ResolvedOptions } from './options/options.ts'
import { processWide } from './process-wide.ts'

/** By AWS's runtime client for Node.js. */
const WORKERS_A_CPU = 8
/** A request needs its connection for a part of its time, and waits for others meanwhile. */
const REQUESTS_A_CONNECTION = 4

/** What a keeper of places lets a pool have. */
export interface EnvironmentPlace {
  /** The connection is closed. Called once. */
  leave(): void
}

/**
 * Gives out the environment's places for connections to the threads that share it, one by one. Where there is none,
 * which is the default, every thread has an even share of its own, and nothing is asked.
 */
export interface PlaceKeeper {
  /** How many a pool of one thread may have at most just now, in place of its even share. At least 1. */
  readonly mostCount: number
  /** Whether this thread has more than it may: a connection that is given back is closed. Hot. */
  readonly isOver?: boolean
  /** A request of this thread waits for a busy pool. Hot: must not wait. */
  wanted?(): void
  /**
   * Resolves to a place as soon as there is one; rejects with the signal's reason where it aborts first.
   *
   * @param giveBack closes the connection where nobody uses it just now, and says whether it did
   */
  take(signal: AbortSignal, giveBack: () => boolean): Promise<EnvironmentPlace>
}

/**
 * The size of a pool that was given none; undefined leaves it to the driver, outside Lambda. One request at a time
 * reaches an environment of default Lambda.
 */
export function poolMax(
  env: Env,
  options: Pick<ResolvedOptions, 'environmentConnections' | 'logger'>,
  keeper?: PlaceKeeper,
  cpuCount: () => number = availableCpuCount,
): number | undefined {
  if (functionName(env) === undefined) return undefined
  if (!runsSeveralInvocations(env)) return 1
  if (keeper !== undefined) return Math.max(1, keeper.mostCount)
  const workers = workerCount(env, cpuCount)
  const share = environmentShare(env, options.environmentConnections, workers)
  if (share < workers) {
    options.logger.warn(
      `leasehold: \`environmentConnections\` (${share}) is less than one for each of ${workers} worker threads, ` +
        'which have one each: set AWS_LAMBDA_NODEJS_WORKER_COUNT to fewer, or allow more',
    )
  }
  return Math.max(1, Math.floor(share / workers))
}

/**
 * Lets the size of a pool that was given none follow the environment's places, where somebody keeps them.
 *
 * @param name of the member of `config` that the driver reads whenever it opens a connection
 */
export function followPlaces(config: object, name: string): void {
  const keeper = processWide().places
  if (keeper === undefined) return
  Object.defineProperty(config, name, { get: () => Math.max(1, keeper.mostCount), enumerable: true })
}

/** What all threads of an environment may have together. @param given 0 where nobody says so */
export function environmentShare(env: Env, given: number, workers: number): number {
  if (given > 0) return given
  const requests = Number(env['AWS_LAMBDA_MAX_CONCURRENCY'])
  return Math.max(workers, Math.floor((requests || 0) / REQUESTS_A_CONNECTION))
}

/** The threads that AWS's runtime client starts, counted as it does. */
export function workerCount(env: Env, cpuCount: () => number = availableCpuCount): number {
  const given = Number.parseInt(env['AWS_LAMBDA_NODEJS_WORKER_COUNT'] ?? '', 10)
  return given >= 1 ? given : WORKERS_A_CPU * cpuCount()
}

/** By the quota of the control group, rounded up; 1 where that is not told. */
function availableCpuCount(): number {
  try {
    const [quota = '', period = ''] = readFileSync('/sys/fs/cgroup/cpu.max', 'utf8').trim().split(/\s+/)
    if (quota === 'max') return Math.max(1, cpus().length)
    const count = Math.ceil(Number(quota) / Number(period))
    return count >= 1 && Number.isFinite(count) ? count : 1
  } catch {
    return 1
  }
}
