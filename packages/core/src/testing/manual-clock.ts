import { setImmediate as nextTurn } from 'node:timers/promises'

import type { Clock } from '../clock.ts'

interface Timer {
  readonly dueMs: number
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
  #timers: Timer[] = []

  monotonicMs(): number {
    return this.#monotonicMs
  }

  epochMs(): number {
    return this.#epochMs
  }

  /** Sleeps and pieces of work that have not run yet. 0 proves that nothing was left behind. */
  get pendingCount(): number {
    return this.#timers.length
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

  /**
   * Lets `durationMs` pass on both clocks, running timers and the promises that follow them. 0 runs
   * what is due by now.
   */
  async advance(durationMs: number): Promise<void> {
    const endMs = this.#monotonicMs + durationMs
    await nextTurn()
    for (;;) {
      const next = this.#takeDue(endMs)
      if (next === undefined) break
      this.#move(Math.max(0, next.dueMs - this.#monotonicMs))
      next.run()
      // A whole turn of the event loop: promises and ticks that follow have all run.
      await nextTurn()
    }
    this.#move(Math.max(0, endMs - this.#monotonicMs))
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

  /** Sets the epoch clock forward, or back where `byMs` is negative, as NTP or a person may. No time passes. */
  setEpochBy(byMs: number): void {
    this.#epochMs += byMs
  }

  #takeDue(endMs: number): Timer | undefined {
    let first: Timer | undefined
    for (const timer of this.#timers) {
      if (timer.dueMs > endMs) continue
      if (first === undefined || timer.dueMs < first.dueMs) first = timer
    }
    if (first !== undefined) this.#timers.splice(this.#timers.indexOf(first), 1)
    return first
  }

  #move(durationMs: number): void {
    this.#monotonicMs += durationMs
    this.#epochMs += durationMs
  }

  #add(delayMs: number, run: () => void): Timer {
    const timer = { dueMs: this.#monotonicMs + Math.max(0, delayMs), run }
    this.#timers.push(timer)
    return timer
  }
}
