/** Waits for something that nobody can stop, and no longer than it is worth. */

import type { Clock } from '../clock.ts'

/** Resolves to whether `work` ended within `limitMs`, however it ended. Leaves no timer behind. */
export async function endsWithin(clock: Clock, limitMs: number, work: Promise<unknown>): Promise<boolean> {
  const enough = new AbortController()
  const ended = work.then(
    () => true,
    () => true,
  )
  const late = clock.sleep(limitMs, enough.signal).then(
    () => false,
    () => false,
  )
  const isInTime = await Promise.race([ended, late])
  enough.abort()
  return isInTime
}
