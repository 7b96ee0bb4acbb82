// Latency for one direction of a flow: what goes in comes out later, in the same order.

interface Waiting {
  readonly dueMs: number
  readonly deliver: () => void
}

export class DelayLine {
  readonly #waiting: Waiting[] = []
  #timer: NodeJS.Timeout | undefined

  /**
   * Calls `deliver` after the delay, but not before everything that went in earlier. At once if both are
   * nothing.
   */
  push(delayMs: number, deliver: () => void): void {
    const last = this.#waiting.at(-1)
    if (delayMs <= 0 && !last) return deliver()
    this.#waiting.push({ dueMs: Math.max(performance.now() + delayMs, last?.dueMs ?? 0), deliver })
    if (!last) this.#schedule()
  }

  /** Loses everything that is on its way. */
  clear(): void {
    this.#waiting.length = 0
    clearTimeout(this.#timer)
  }

  #schedule(): void {
    const next = this.#waiting[0]
    if (next) this.#timer = setTimeout(() => this.#deliverDue(), next.dueMs - performance.now())
  }

  #deliverDue(): void {
    for (let next = this.#waiting[0]; next && next.dueMs <= performance.now(); next = this.#waiting[0]) {
      next.deliver()
      // `deliver` may have cleared the line.
      if (this.#waiting[0] === next) this.#waiting.shift()
    }
    this.#schedule()
  }
}
