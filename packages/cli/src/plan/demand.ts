/** PURE: what a load needs at least, by Little's law; before anything is simulated. */

/** One function's load. */
export interface Demand {
  readonly ratePerS: number
  /** A request has a session for so long. */
  readonly workMs: number
  /** The rest of an invocation, without the database. */
  readonly otherMs: number
}

/** Init of a small function, which Lambda counts as concurrency. */
const COLD_START_MS = 250

/** Sessions in use at once, on average: rate × time (Little's law). */
export function busySessions(demands: readonly Demand[]): number {
  return sum(demands, ({ ratePerS, workMs }) => (ratePerS * workMs) / 1_000)
}

/** Invocations at once, on average. */
export function meanConcurrency({ ratePerS, workMs, otherMs }: Demand): number {
  return (ratePerS * (workMs + otherMs)) / 1_000
}

/**
 * Room for `mean` at once on average, when requests come by chance: `spread` standard deviations more
 * (a Poisson process has a variance as large as its mean). At least 1; a whole number.
 */
export function withSpread(mean: number, spread: number): number {
  return Math.max(1, Math.ceil(mean + spread * Math.sqrt(mean)))
}

/** Invocations at once when no environment is warm: after a deployment. */
export function coldConcurrency(demand: Demand): number {
  return withSpread(meanConcurrency({ ...demand, otherMs: demand.otherMs + COLD_START_MS }), 3)
}

/** Requests per second that `slotCount` sessions can carry when none is ever idle: their mix stays as it is. */
export function carriedPerS(slotCount: number, demands: readonly Demand[]): number {
  const busy = busySessions(demands)
  return busy === 0 ? Number.POSITIVE_INFINITY : (sum(demands, ({ ratePerS }) => ratePerS) * slotCount) / busy
}

/** Slots that stay free for people, migrations and what else is not planned, where nobody says how many. */
export function defaultHeadroom(slotCount: number): number {
  return Math.min(Math.max(3, Math.min(20, Math.ceil(slotCount / 20))), Math.max(0, slotCount - 1))
}

/** `total` in parts like `weights`, each at least 1; their sum is `total` where that is enough for all. */
export function shared(total: number, weights: readonly number[]): readonly number[] {
  const parts = weights.map(() => 1)
  const all = sum(weights, (weight) => weight)
  const left = Math.max(0, total - parts.length)
  // The largest remainders get what rounding leaves.
  const exact = weights.map((weight) => (left * weight) / all)
  const whole = exact.map(Math.floor)
  const byRemainder = exact
    .map((value, index) => ({ index, remainder: value - Math.floor(value) }))
    .toSorted((one, other) => other.remainder - one.remainder || one.index - other.index)
  let rest = left - sum(whole, (value) => value)
  for (const { index } of byRemainder) {
    if (rest <= 0) break
    whole[index] = (whole[index] ?? 0) + 1
    rest -= 1
  }
  return parts.map((part, index) => part + (whole[index] ?? 0))
}

export function sum<T>(values: readonly T[], of: (value: T) => number): number {
  return values.reduce((total, value) => total + of(value), 0)
}
