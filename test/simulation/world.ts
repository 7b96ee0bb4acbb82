// One run's time, events and chance. Simulated time stands still while code runs.
import { setImmediate as nextTurn } from 'node:timers/promises'

import { EventQueue, type Work } from './event-queue.ts'
import { SeededRandom } from './random.ts'

/** Far from 0, so that an epoch taken for a monotonic time would show. */
const START_EPOCH_MS = 1_800_000_000_000

export class World {
  /** Arrivals and work: the same for every policy of one seed. */
  readonly loadRandom: SeededRandom
  /** How long things take. */
  readonly costRandom: SeededRandom
  /** What policies draw. */
  readonly policyRandom: SeededRandom
  readonly #events = new EventQueue()
  #deferred: Work[] = []
  #settled = true
  #nowMs = 0
  #eventCount = 0

  constructor(seed: number) {
    this.loadRandom = new SeededRandom(3 * seed)
    this.policyRandom = new SeededRandom(3 * seed + 1)
    this.costRandom = new SeededRandom(3 * seed + 2)
  }

  get nowMs(): number {
    return this.#nowMs
  }

  get epochMs(): number {
    return START_EPOCH_MS + this.#nowMs
  }

  get eventCount(): number {
    return this.#eventCount
  }

  after(delayMs: number, work: Work): void {
    this.#events.push(this.#nowMs + Math.max(0, delayMs), work)
  }

  at(dueMs: number, work: Work): void {
    this.#events.push(Math.max(dueMs, this.#nowMs), work)
  }

  /** After the code that is running now, and the promises that follow it; no time passes. */
  defer(work: Work): void {
    this.#deferred.push(work)
    this.#settled = false
  }

  /** A promise was started or settled: what follows it has to run before time goes on. */
  promised(): void {
    this.#settled = false
  }

  /** Runs until `endMs`, or until `isOver()` is true or nothing is left to happen. */
  async run(endMs: number, isOver: () => boolean): Promise<void> {
    const events = this.#events
    while (!isOver()) {
      if (!this.#settled) {
        this.#settled = true
        await nextTurn()
        const deferred = this.#deferred
        this.#deferred = []
        for (const work of deferred) work()
        continue
      }
      const { nextMs } = events
      if (nextMs > endMs) break
      this.#nowMs = nextMs
      this.#eventCount += 1
      events.pop()?.()
    }
  }
}
