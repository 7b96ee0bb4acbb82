/** Time comes in through this port, so that tests can freeze a process without waiting. */

/**
 * Two clocks and a sleep. A frozen environment may stop one clock and not the other, so whoever
 * measures an elapsed time reads both and takes the larger difference.
 */
export interface Clock {
  /** Milliseconds since an arbitrary start; never goes back. May stand still while frozen. */
  monotonicMs(): number
  /** Milliseconds since 1970; counts through a freeze, may be set by hand or by NTP. */
  epochMs(): number
  /** Resolves after `durationMs`; rejects with the signal's reason when it aborts first. */
  sleep(durationMs: number, signal?: AbortSignal): Promise<void>
  /** Runs `work` after `delayMs`, without keeping the process alive for it. */
  later(delayMs: number, work: () => void): void
  /** Runs `work` once the code that is running now, and what it awaits at once, has finished. */
  defer(work: () => void): void
}

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  epochMs: () => Date.now(),
  sleep: (durationMs, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason)
        return
      }
      const onAbort = (): void => {
        clearTimeout(timer)
        reject(signal?.reason)
      }
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      }, durationMs)
      signal?.addEventListener('abort', onAbort, { once: true })
    }),
  later: (delayMs, work) => {
    setTimeout(work, delayMs).unref()
  },
  defer: (work) => {
    setImmediate(work)
  },
}

/** A point in time on both clocks. Kept mutable so that the hot path allocates nothing. */
export class Moment {
  monotonicMs = 0
  epochMs = 0

  constructor(clock: Clock) {
    this.set(clock)
  }

  set(clock: Clock): void {
    this.monotonicMs = clock.monotonicMs()
    this.epochMs = clock.epochMs()
  }

  copy(other: Moment): void {
    this.monotonicMs = other.monotonicMs
    this.epochMs = other.epochMs
  }

  /** Whether `later` is at least `durationMs` after this moment, by either clock. */
  isBefore(later: Moment, durationMs: number): boolean {
    return later.monotonicMs - this.monotonicMs >= durationMs || later.epochMs - this.epochMs >= durationMs
  }

  /** Milliseconds from this moment to now, by the clock that saw more time pass. Never negative. */
  elapsedMs(clock: Clock): number {
    const byMonotonic = clock.monotonicMs() - this.monotonicMs
    const byEpoch = clock.epochMs() - this.epochMs
    return Math.max(byMonotonic, byEpoch, 0)
  }
}
