import type { Clock } from '../clock.ts'

interface Timer {
  readonly dueMs: number
  readonly order: number
  readonly run: () => void
}

/**
 * A clock that stands still until told otherwise. `advance` runs what falls due on the way, in
 * order; `freeze` lets time pass with nothing running, as a frozen environment does: what fell due
 * meanwhile runs at the next `advance`.
 */
export class ManualClock implements Clock {
  #monotonicMs = 1_000
  #epochMs = 1_800_000_000_000
  #order = 0
  #timers: Timer[] = []

  monotonicMs(): number {
    return this.#monotonicMs
  }

  epochMs(): number {
    return this.#epochMs
  }

  sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason)
        return
      }
      const timer = this.#add(durationMs, () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      })
      const onAbort = (): void => {
        this.#timers = this.#timers.filter((other) => other !== timer)
        reject(signal?.reason)
      }
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  later(delayMs: number, work: () => void): void {
    this.#add(delayMs, work)
  }

  defer(work: () => void): void {
    this.#add(0, work)
  }

  /** Lets `durationMs` pass on both clocks, running timers and the promises that follow them. */
  async advance(durationMs: number): Promise<void> {
    const endMs = this.#monotonicMs + durationMs
    await settle()
    for (;;) {
      const next = this.#timers
        .filter((timer) => timer.dueMs <= endMs)
        .sort((left, right) => left.dueMs - right.dueMs || left.order - right.order)[0]
      if (next === undefined) break
      this.#timers = this.#timers.filter((timer) => timer !== next)
      this.#move(Math.max(0, next.dueMs - this.#monotonicMs))
      next.run()
      await settle()
    }
    this.#move(endMs - this.#monotonicMs)
    await settle()
  }

  /**
   * Lets time pass with nothing running.
   *
   * @param monotonicMs what the monotonic clock saw of it; all of it by default
   */
  freeze(durationMs: number, monotonicMs: number = durationMs): void {
    this.#epochMs += durationMs
    this.#monotonicMs += monotonicMs
  }

  #move(durationMs: number): void {
    this.#monotonicMs += durationMs
    this.#epochMs += durationMs
  }

  #add(delayMs: number, run: () => void): Timer {
    this.#order += 1
    const timer = { dueMs: this.#monotonicMs + Math.max(0, delayMs), order: this.#order, run }
    this.#timers.push(timer)
    return timer
  }
}

/** Lets promise reactions run: enough turns for the chains in this library. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve()
}
