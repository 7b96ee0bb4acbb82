/** Waits between connects as serverless-postgres' options have them, where they are given. */

import { type Surroundings, systemRandom } from '@leasehold/core'

import type { PoolOptions } from '../options.ts'

interface Given {
  readonly capMs?: number | null | undefined
  readonly baseMs?: number | null | undefined
  readonly delayMs?: number | null | undefined
  readonly maxRetries?: number | null | undefined
}

export interface Waits {
  /** Undefined: as long as the policy says. */
  readonly drawn: { readonly fromMs: number; readonly toMs: number; readonly capMs: number } | undefined
  readonly maxRetries: number
}

const DEFAULT_CAP_MS = 1_000
const DEFAULT_BASE_MS = 2
const DEFAULT_DELAY_MS = 1_000
const DEFAULT_ACQUIRE_MS = 10_000
const LONGEST_ACQUIRE_MS = 900_000

/** Undefined where none of the options is given. */
export function waitsOf({ capMs, baseMs, delayMs, maxRetries }: Given): Waits | undefined {
  const isDrawn = capMs != null || baseMs != null || delayMs != null
  if (!isDrawn && maxRetries == null) return undefined
  return {
    drawn: isDrawn
      ? {
          fromMs: baseMs ?? DEFAULT_BASE_MS,
          toMs: 3 * (delayMs ?? DEFAULT_DELAY_MS),
          capMs: capMs ?? DEFAULT_CAP_MS,
        }
      : undefined,
    maxRetries: maxRetries ?? Number.POSITIVE_INFINITY,
  }
}

/** Time for as many retries as were asked for, where they take longer than the pool's own patience. */
export function patienceFor(given: Given): PoolOptions {
  const waits = waitsOf(given)
  if (waits === undefined || !Number.isFinite(waits.maxRetries)) return {}
  const longestMs = Math.ceil(Math.min(waits.drawn?.capMs ?? 0, waits.drawn?.toMs ?? 0) * waits.maxRetries)
  return longestMs > DEFAULT_ACQUIRE_MS ? { acquireTimeoutMs: Math.min(longestMs, LONGEST_ACQUIRE_MS) } : {}
}

export function paceOf(waits: Waits | undefined): Surroundings['pace'] {
  if (waits === undefined) return undefined
  const { drawn, maxRetries } = waits
  return ({ attempts, delayMs }) => {
    if (attempts > maxRetries) return undefined
    if (drawn === undefined) return delayMs
    const { fromMs, toMs, capMs } = drawn
    return Math.min(capMs, fromMs + systemRandom.next() * Math.max(toMs - fromMs, 0))
  }
}
