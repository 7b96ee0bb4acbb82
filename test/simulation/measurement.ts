// What came of the requests, and how the server stood meanwhile.
import type { Server } from './server.ts'
import type { World } from './world.ts'

/** The state at the end of each second, and what came in it. */
export interface Sample {
  /** Since the run began. A fraction where samples are taken more often. */
  readonly second: number
  readonly sessions: number
  readonly pressure: number
  readonly answered: number
  readonly failed: number
  readonly throttled: number
  readonly waiting: number
  readonly connects: number
  readonly refusals: number
  /** CPU time given out in this second, by the server's cores. */
  readonly busyMs: number
}

export class Measurement {
  readonly samples: Sample[] = []
  readonly latenciesMs: number[] = []
  arrivedCount = 0
  answeredCount = 0
  /** Before the load was over. */
  answeredInTimeCount = 0
  failedCount = 0
  throttledCount = 0
  lastAnswerMs = 0
  readonly #world: World
  readonly #server: Server
  readonly #endMs: number
  #before = { answered: 0, failed: 0, throttled: 0, connects: 0, refusals: 0, busyMs: 0 }

  /** @param endMs when the load is over */
  constructor(world: World, server: Server, endMs: number) {
    this.#world = world
    this.#server = server
    this.#endMs = endMs
  }

  get inFlightCount(): number {
    return this.arrivedCount - this.answeredCount - this.failedCount - this.throttledCount
  }

  arrived(): void {
    this.arrivedCount += 1
  }

  /** Lambda would not start an environment for it: it never came near the database. */
  throttled(): void {
    this.throttledCount += 1
  }

  finished(isAnswered: boolean, latencyMs: number): void {
    this.lastAnswerMs = this.#world.nowMs
    if (!isAnswered) {
      this.failedCount += 1
      return
    }
    this.answeredCount += 1
    if (this.#world.nowMs <= this.#endMs) this.answeredInTimeCount += 1
    this.latenciesMs.push(latencyMs)
  }

  /** Takes a sample every `everyMs` while the load lasts. */
  start(everyMs: number): void {
    this.#world.after(everyMs, () => {
      this.#sample()
      if (this.#world.nowMs < this.#endMs) this.start(everyMs)
    })
  }

  #sample(): void {
    const server = this.#server
    const now = {
      answered: this.answeredCount,
      failed: this.failedCount,
      throttled: this.throttledCount,
      connects: server.connectedCount,
      refusals: server.refusedCount,
      busyMs: server.cores.busyMs,
    }
    const before = this.#before
    this.samples.push({
      second: this.#world.nowMs / 1_000,
      sessions: server.usedCount,
      pressure: server.usedCount / server.slotCount,
      waiting: this.inFlightCount,
      answered: now.answered - before.answered,
      failed: now.failed - before.failed,
      throttled: now.throttled - before.throttled,
      connects: now.connects - before.connects,
      refusals: now.refusals - before.refusals,
      busyMs: now.busyMs - before.busyMs,
    })
    this.#before = now
  }
}
