/** For the picture: the planned load, and then more requests than the concurrency lets through. */

import { type Sample, step } from '@leasehold/simulation'

import { sum } from './demand.ts'
import type { ResolvedPlanOptions } from './options.ts'
import { simulated } from './world.ts'

export interface Rise {
  /** Environments of all functions. */
  readonly concurrency: number
  /** When the load rises, in seconds. */
  readonly atS: number
  readonly seconds: number
  /** Sixty of them. */
  readonly samples: readonly Sample[]
}

const SAMPLES = 60
const REQUESTS = 20_000
/** In what all environments can answer without a pause. */
const EXCESS = 1.5

export async function riseOf(options: ResolvedPlanOptions, concurrency: readonly number[]): Promise<Rise> {
  const { functions } = options
  const excess = functions.map(({ workMs, otherMs, ratePerS }, index) =>
    Math.max(ratePerS, (EXCESS * 1_000 * (concurrency[index] ?? 1)) / (workMs + otherMs)),
  )
  const mostPerS = sum(excess, (perS) => perS)
  const atS = Math.max(1, Math.min(10, REQUESTS / mostPerS))
  const seconds = 2 * atS
  const { samples } = await simulated(options, {
    name: 'rise',
    seconds,
    sampleMs: (seconds * 1_000) / SAMPLES,
    fleets: functions.map(({ ratePerS, workMs, otherMs }, index) => {
      const arrivals = step(ratePerS, excess[index] ?? ratePerS, atS * 1_000, atS * 1_000)
      const environments = concurrency[index] ?? 1
      return {
        environments,
        workMs,
        besideMs: otherMs,
        load: { kind: 'open', arrivals, dispatch: 'recent', warm: environments },
      }
    }),
  })
  return { concurrency: sum(concurrency, (count) => count), atS, seconds, samples: samples.slice(0, SAMPLES) }
}
