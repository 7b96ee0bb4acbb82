/** How long to wait before the next try, by the formulas that applications configure. */

import type { Random } from '../random.ts'
import type { BackoffName } from './options.ts'

export type Backoff = 'full' | 'decorrelated' | ((waitMs: number, retries: number) => number)

export interface Pacing {
  readonly backoff: Backoff
  readonly baseMs: number
  readonly capMs: number
}

export function nameOf(backoff: Backoff): BackoffName {
  return typeof backoff === 'function' ? 'custom' : backoff
}

/**
 * @param beforeMs the wait before, 0 at first
 * @param retries from 1
 */
export function waitMs(pacing: Pacing, beforeMs: number, retries: number, random: Random): number {
  const { backoff, baseMs, capMs } = pacing
  if (typeof backoff === 'function') {
    const own = backoff(beforeMs, retries)
    return Number.isFinite(own) ? Math.max(0, own) : 0
  }
  return backoff === 'full'
    ? between(0, Math.min(capMs, baseMs * 2 ** retries), random)
    : Math.min(capMs, between(baseMs, Math.max(baseMs, beforeMs * 3), random))
}

function between(low: number, high: number, random: Random): number {
  return Math.floor(random.next() * (high - low + 1)) + low
}
