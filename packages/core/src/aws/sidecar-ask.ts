/** Asks the layer's sidecar, and no longer than that is worth: whoever gets nothing from it helps itself. */

import { type Clock, Moment } from '../clock.ts'
import { within } from '../deadline.ts'
import type { Env } from '../env.ts'
import { wantsSidecar } from '../sidecar/protocol.ts'
import { nameOf } from './failure.ts'

/** A secret comes over the network; a sidecar that hangs takes so much of a connect's time, once. */
const LIMIT_MS = 1_000

/** In Init it starts beside the function. */
const STARTING_MS = 400
const AGAIN_AFTER_MS = 20

/** One that did not answer is not asked again for this long, doubling to `MOST_PAUSE_MS`. */
const FIRST_PAUSE_MS = 5_000
const MOST_PAUSE_MS = 300_000

export class SidecarAsk {
  readonly #clock: Clock
  readonly #isWanted: boolean
  readonly #failed: Moment
  #hasAnswered = false
  #pauseMs = 0

  constructor(clock: Clock, env: Env) {
    this.#clock = clock
    this.#isWanted = wantsSidecar(env)
    this.#failed = new Moment(clock)
  }

  /**
   * Resolves to what `ask` resolves to, or to undefined where there is no sidecar, or none that answers in time.
   * Rejects only when `signal` aborts, and with an error that `isFinal`: nobody else would do better.
   */
  async get<T>(
    ask: (signal: AbortSignal) => Promise<T>,
    signal: AbortSignal | undefined,
    isFinal: (error: unknown) => boolean,
  ): Promise<T | undefined> {
    if (!this.#isWanted || this.#failed.elapsedMs(this.#clock) < this.#pauseMs) return undefined
    try {
      const answer = await within(this.#clock, LIMIT_MS, 'asking the sidecar', (limit) =>
        this.#ask(ask, signal === undefined ? limit : AbortSignal.any([limit, signal])),
      )
      this.#hasAnswered = true
      this.#pauseMs = 0
      return answer
    } catch (error) {
      signal?.throwIfAborted()
      if (isFinal(error)) throw error
      this.#failed.set(this.#clock)
      this.#pauseMs = Math.min(Math.max(FIRST_PAUSE_MS, 2 * this.#pauseMs), MOST_PAUSE_MS)
      return undefined
    }
  }

  async #ask<T>(ask: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    const begun = new Moment(this.#clock)
    for (;;) {
      try {
        return await ask(signal)
      } catch (error) {
        const isStarting = !this.#hasAnswered && nameOf(error) === 'ECONNREFUSED' && this.#pauseMs === 0
        if (!isStarting || begun.elapsedMs(this.#clock) >= STARTING_MS) throw error
      }
      await this.#clock.sleep(AGAIN_AFTER_MS, signal)
    }
  }
}
