/** What an operator asks of a governed pool: `pool.leasehold`, the same on every driver. */

import type { FleetView } from './census.ts'
import type { Governor } from './governor.ts'
import type { Stats } from './stats.ts'

export interface PoolGovernance {
  /**
   * Counts the slots on an idle connection and resolves to the newest view; undefined before any.
   * Never rejects, and never takes longer than `connectTimeoutMs`.
   */
  census(): Promise<FleetView | undefined>
  /** Counts since the pool was made. A copy. */
  stats(): Readonly<Stats>
  /** Closes every idle connection politely; those in use stay. The pool goes on working. */
  drain(): void
}

export function governanceOf(governor: Governor): PoolGovernance {
  return {
    census: () => governor.census(),
    stats: () => ({ ...governor.stats }),
    drain: () => {
      for (const { hands } of [...governor.connections]) {
        if (hands.idle()) hands.yield()
      }
    },
  }
}
