/** A place of the environment's, where somebody gives them out to its threads: taken before a connection is opened. */

import { type Clock, Moment } from './clock.ts'
import type { GovernedConnection } from './connection.ts'
import { within } from './deadline.ts'
import type { EnvironmentPlace, PlaceKeeper } from './share.ts'

interface Opening {
  readonly governed: GovernedConnection
}

/**
 * Opens a connection once there is a place for it, which it keeps until it is closed. Rejects with `ACQUIRE_TIMEOUT`
 * where there is none in time, or as `open` does.
 *
 * @param limitMs for both, the wait and the opening
 * @param open is told how much of the limit is left
 */
export async function openInPlace<T extends Opening>(
  keeper: PlaceKeeper,
  clock: Clock,
  limitMs: number,
  signal: AbortSignal | undefined,
  open: (leftMs: number) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted()
  const begun = new Moment(clock)
  let governed: GovernedConnection | undefined
  const giveBack = (): boolean => {
    if (governed?.hands.idle() !== true || governed.checking !== undefined) return false
    governed.hands.yield()
    return true
  }
  const take = async (timeUp: AbortSignal): Promise<EnvironmentPlace> => {
    const either = signal === undefined ? timeUp : AbortSignal.any([signal, timeUp])
    const place = await keeper.take(either, giveBack)
    // One that comes after all goes back: nobody waits for it any more.
    if (either.aborted) place.leave()
    either.throwIfAborted()
    return place
  }
  const what = "waiting for one of the environment's connections"
  const place = await within(clock, limitMs, what, take, 'ACQUIRE_TIMEOUT')
  try {
    const opened = await open(Math.max(1, limitMs - begun.elapsedMs(clock)))
    governed = opened.governed
    governed.place = place
    return opened
  } catch (error) {
    place.leave()
    throw error
  }
}
