/** How long something took that a freeze may fall into: the time this process did not run is left out. */

import { type Clock, Moment } from './clock.ts'

/** Time is counted in steps of this. */
const STEP_MS = 20
/** In a step that took longer the process did not run: it was frozen, or had used up its share of the processor. */
const MOST_STEP_MS = 2 * STEP_MS
/** Whatever takes longer than these has been given up by whoever waits for it. */
const MOST_STEPS = 1_000

class RunningTime {
  readonly #clock: Clock
  readonly #counted: Moment
  #ranMs = 0
  #stepsLeft = MOST_STEPS

  constructor(clock: Clock) {
    this.#clock = clock
    this.#counted = new Moment(clock)
    this.#step()
  }

  stop(): number {
    this.#stepsLeft = 0
    this.#count()
    return this.#ranMs
  }

  #step(): void {
    this.#clock.later(STEP_MS, () => {
      this.#stepsLeft -= 1
      if (this.#stepsLeft <= 0) return
      this.#count()
      this.#step()
    })
  }

  #count(): void {
    const elapsedMs = this.#counted.elapsedMs(this.#clock)
    this.#ranMs += elapsedMs > MOST_STEP_MS ? STEP_MS : elapsedMs
    this.#counted.set(this.#clock)
  }
}

/** What `work` resolves to, and for how many milliseconds it ran. Of a freeze it has two steps at the most. */
export async function timed<T>(
  clock: Clock,
  work: () => Promise<T>,
): Promise<{ readonly value: T; readonly ranMs: number }> {
  const running = new RunningTime(clock)
  try {
    return { value: await work(), ranMs: running.stop() }
  } finally {
    running.stop()
  }
}
