/** A clock whose sleeps last while the environment is awake: a freeze must not use up the time of a request. */

import { type Clock, Moment, systemClock } from './core.ts'

const SLICE_MS = 200
/** A slice that took this much longer was frozen; what arrived meanwhile is read in one more. */
const FROZEN_MS = 300

export const awakeClock: Clock = {
  ...systemClock,
  sleep: async (durationMs, signal) => {
    let leftMs = durationMs
    while (leftMs > 0) {
      const sliceMs = Math.min(leftMs, SLICE_MS)
      const begun = new Moment(systemClock)
      await systemClock.sleep(sliceMs, signal)
      if (begun.elapsedMs(systemClock) < sliceMs + FROZEN_MS) leftMs -= sliceMs
    }
  },
}
