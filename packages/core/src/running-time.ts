/** How long something took that a freeze may fall into: then nobody knows. */

import { type Clock, Moment } from './clock.ts'

/** Looked at so often whether the process still runs. */
const STEP_MS = 20
/** In a step that took longer it did not: it was frozen, or had used up its share of the processor. */
const MOST_STEP_MS = 2 * STEP_MS
/** Whatever takes longer than these has been given up by whoever waits for it. */
const MOST_STEPS = 1_000

class RunningTime {
  readonly #clock: Clock
  readonly #begun: Moment
  readonly #seen: Moment
  #isInterrupted = false
  #stepsLeft = MOST_STEPS

  constructor(clock: Clock) {
    this.#clock = clock
    this.#begun = new Moment(clock)
    this.#seen = new Moment(clock)
    this.#step()
  }

  stop(): number | undefined {
    this.#stepsLeft = 0
    this.#look()
    return this.#isInterrupted ? undefined : this.#begun.elapsedMs(this.#clock)
  }

  #step(): void {
    this.#clock.later(STEP_MS, () => {
      this.#stepsLeft -= 1
      if (this.#stepsLeft <= 0) return
      this.#look()
      this.#step()
    })
  }

  #look(): void {
    if (this.#seen.elapsedMs(this.#clock) > MOST_STEP_MS) this.#isInterrupted = true
    this.#seen.set(this.#clock)
  }
}

/** What `work` resolves to, and how many milliseconds it took; undefined where the process did not run all the time. */
export async function timed<T>(
  clock: Clock,
  work: () => Promise<T>,
): Promise<{ readonly value: T; readonly ranMs: number | undefined }> {
  const running = new RunningTime(clock)
  try {
    return { value: await work(), ranMs: running.stop() }
  } finally {
    running.stop()
  }
}
