/** What is to be done after the response: collected while an invocation runs, then done while the freeze waits. */

import type { Clock } from '../clock.ts'
import { processWide } from '../process-wide.ts'
import { endsWithin } from './ends-within.ts'

export class Hold {
  readonly #clock: Clock
  #work: (() => Promise<void>)[] = []

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** From now on work is put off. */
  open(): void {
    processWide().hold = (work) => this.#work.push(work)
  }

  /** Nothing is put off any more; what was is begun. Resolves when it is done, or after `limitMs`. Never rejects. */
  async release(limitMs: number): Promise<void> {
    processWide().hold = undefined
    if (this.#work.length === 0) return
    const begun = this.#work.splice(0).map((work) => work())
    const all = Promise.allSettled(begun)
    if (limitMs > 0) await endsWithin(this.#clock, limitMs, all)
  }
}
