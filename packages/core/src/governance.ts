/** What an operator asks of a governed pool: `pool.leasehold`, the same on every driver. */

import type { FleetView } from './census.ts'
import type { Governor } from './governor.ts'
import type { InvocationContext } from './invocation.ts'
import type { Stats } from './stats.ts'

export interface PoolGovernance {
  /**
   * Counts the slots on an idle connection and resolves to the newest view; undefined before any.
   * Never rejects, and never takes longer than `connectTimeoutMs`.
   */
  census(): Promise<FleetView | undefined>
  /**
   * Ends the longest-idle sessions of the fleet now, at most 8, whatever the pressure, and resolves to how
   * many: sessions of pools of the same login and `fleet`, idle outside a transaction for 1.5 s or longer. Their
   * environments connect again when they need to. Needs an idle connection of this pool, and ends 0 without one,
   * while another environment is at it, or where the server won't have it. Never rejects, and never takes longer
   * than `connectTimeoutMs`.
   */
  reap(): Promise<number>
  /** Counts since the pool was made. A copy. */
  stats(): Readonly<Stats>
  /** Closes every idle connection politely; those in use stay. The pool goes on working. */
  drain(): void
  /**
   * Sends what was measured and has not been sent. `drain()` and the pool's `end()` do so by themselves; this is for
   * a program that wants to know when it is done. Never rejects, and ends within the sink's own limit. Nothing
   * where `metrics` is off.
   */
  flush(): Promise<void>
  /**
   * Tells the pool which invocation has begun and how much time it has: call it first in the handler, with
   * the context that Lambda gives. From then on no wait and no statement outlasts the invocation, and what
   * the invocation before left checked out is closed. Without it, invocations are told apart by the mark
   * that Lambda's runtime sets, and their end is not known.
   */
  enter(context: InvocationContext): void
}

export function governanceOf(governor: Governor): PoolGovernance {
  return {
    census: () => governor.census(),
    reap: () => governor.reap(),
    stats: () => ({ ...governor.stats }),
    enter: (context) => governor.enter(context),
    drain: () => {
      for (const { hands } of [...governor.connections]) {
        if (hands.idle()) hands.yield()
      }
      void governor.observations.flush()
    },
    flush: () => governor.observations.flush(),
  }
}
