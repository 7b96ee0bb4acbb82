/** Time left. Every wait is bounded by one of these. */

import { type Clock, Moment } from './clock.ts'
import { LeaseholdError, type LeaseholdErrorCode } from './errors.ts'

export class Deadline {
  readonly #clock: Clock
  readonly #start: Moment
  readonly budgetMs: number

  constructor(clock: Clock, budgetMs: number) {
    this.#clock = clock
    this.#start = new Moment(clock)
    this.budgetMs = budgetMs
  }

  elapsedMs(): number {
    return this.#start.elapsedMs(this.#clock)
  }

  /** Milliseconds left; 0 when it has passed. */
  leftMs(): number {
    return Math.max(0, this.budgetMs - this.elapsedMs())
  }
}

/**
 * Runs `work` with a signal that aborts after `limitMs`. Settles as `work` settles, or rejects with
 * `CONNECT_TIMEOUT` at the limit even when `work` ignores the signal. Leaves no timer behind.
 *
 * @param code where the limit is another's than a connect's
 */
export async function within<T>(
  clock: Clock,
  limitMs: number,
  what: string,
  work: (signal: AbortSignal) => Promise<T>,
  code: LeaseholdErrorCode = 'CONNECT_TIMEOUT',
): Promise<T> {
  const limit = new AbortController()
  const timer = new AbortController()
  const timedOut = clock.sleep(limitMs, timer.signal).then(
    async () => {
      // After a freeze timers run first, though the answer may lie in the socket: one turn to read it.
      await new Promise<void>((resolve) => clock.defer(resolve))
      if (timer.signal.aborted) return new Promise<never>(() => {})
      const error = new LeaseholdError(code, `${what} took longer than ${Math.round(limitMs)} ms`)
      limit.abort(error)
      throw error
    },
    () => new Promise<never>(() => {}),
  )
  try {
    return await Promise.race([work(limit.signal), timedOut])
  } finally {
    timer.abort()
  }
}
