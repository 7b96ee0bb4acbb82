// The product's clock in one environment: nothing runs while it is frozen; what fell due runs at the thaw.
import type { Clock } from '@leasehold/core'

import type { World } from './world.ts'

interface Timer {
  readonly dueMs: number
  readonly run: () => void
  isCancelled: boolean
}

export class EnvironmentClock implements Clock {
  readonly #world: World
  #timers: Timer[] = []
  #isFrozen = false
  /** When the world will wake this clock; one outstanding event a clock. */
  #wakeMs = Number.POSITIVE_INFINITY

  constructor(world: World) {
    this.#world = world
  }

  monotonicMs(): number {
    return this.#world.nowMs
  }

  epochMs(): number {
    return this.#world.epochMs
  }

  sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason)
        return
      }
      const timer = this.#add(durationMs, resolve)
      signal?.addEventListener(
        'abort',
        () => {
          timer.isCancelled = true
          reject(signal.reason)
        },
        { once: true },
      )
    })
  }

  later(delayMs: number, work: () => void): void {
    this.#add(delayMs, work)
  }

  defer(work: () => void): void {
    this.#world.defer(work)
  }

  freeze(): void {
    this.#isFrozen = true
  }

  thaw(): void {
    this.#isFrozen = false
    this.#runDue()
  }

  #add(delayMs: number, run: () => void): Timer {
    const timer = { dueMs: this.#world.nowMs + Math.max(0, delayMs), run, isCancelled: false }
    this.#timers.push(timer)
    this.#wakeBy(timer.dueMs)
    return timer
  }

  #wakeBy(dueMs: number): void {
    if (dueMs >= this.#wakeMs) return
    this.#wakeMs = dueMs
    this.#world.at(dueMs, () => {
      if (this.#wakeMs !== dueMs) return
      this.#wakeMs = Number.POSITIVE_INFINITY
      if (!this.#isFrozen) this.#runDue()
    })
  }

  #runDue(): void {
    const { nowMs } = this.#world
    const live = this.#timers.filter(({ isCancelled }) => !isCancelled)
    this.#timers = live.filter(({ dueMs }) => dueMs > nowMs)
    const due = live.filter(({ dueMs }) => dueMs <= nowMs).toSorted((left, right) => left.dueMs - right.dueMs)
    for (const { run } of due) run()
    if (due.length > 0) this.#world.promised()
    let nextMs = Number.POSITIVE_INFINITY
    for (const { dueMs } of this.#timers) nextMs = Math.min(nextMs, dueMs)
    if (nextMs < Number.POSITIVE_INFINITY) this.#wakeBy(nextMs)
  }
}
