// When requests come: rates over time, drawn as a Poisson process by thinning.
import type { SeededRandom } from './random.ts'

export interface Arrivals {
  /** Requests per second at a moment of the run. */
  ratePerS(nowMs: number): number
  /** Never exceeded by `ratePerS`. */
  readonly mostPerS: number
}

/** The next arrival after `nowMs`. */
export function nextArrivalMs(arrivals: Arrivals, nowMs: number, random: SeededRandom): number {
  let atMs = nowMs
  do atMs += random.exponential(1_000 / arrivals.mostPerS)
  while (random.next() * arrivals.mostPerS > arrivals.ratePerS(atMs))
  return atMs
}

export function poisson(perS: number): Arrivals {
  return { ratePerS: () => perS, mostPerS: perS }
}

/** `beforePerS` until `atMs`, `afterPerS` for `lastsMs`, then `beforePerS` again. */
export function step(beforePerS: number, afterPerS: number, atMs: number, lastsMs: number): Arrivals {
  return {
    ratePerS: (nowMs) => (nowMs >= atMs && nowMs < atMs + lastsMs ? afterPerS : beforePerS),
    mostPerS: Math.max(beforePerS, afterPerS),
  }
}

/** Bursts of `lastsMs` at `burstPerS`, one every `everyMs`, the first at half of that: webhook storms, cron jobs. */
export function storms(restPerS: number, burstPerS: number, everyMs: number, lastsMs: number): Arrivals {
  return {
    ratePerS: (nowMs) => ((nowMs + everyMs / 2) % everyMs < lastsMs ? burstPerS : restPerS),
    mostPerS: Math.max(restPerS, burstPerS),
  }
}

/** A day in `dayMs`: quiet at its start and end, busy in the middle. */
export function diurnal(quietPerS: number, busyPerS: number, dayMs: number): Arrivals {
  return {
    ratePerS: (nowMs) =>
      quietPerS + ((busyPerS - quietPerS) * (1 - Math.cos((2 * Math.PI * nowMs) / dayMs))) / 2,
    mostPerS: Math.max(quietPerS, busyPerS),
  }
}
