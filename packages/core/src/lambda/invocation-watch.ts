/** Follows the invocations of this process: their time, their end, and the work that waits for it. */

import type { Clock } from '../clock.ts'
import { processWide } from '../process-wide.ts'
import { endsWithin } from './ends-within.ts'
import type { ExtensionEvent } from './extensions-api.ts'
import { Hold } from './hold.ts'
import type { InvocationListener } from './options.ts'
import type { RuntimeClient } from './runtime-client.ts'

/** Left of an invocation's time when the hold ends at the latest. */
const RESERVE_MS = 100

export class InvocationWatch {
  readonly #clock: Clock
  readonly #listener: InvocationListener | undefined
  #runtime: RuntimeClient | undefined
  readonly #limitMs: number
  readonly #hold: Hold
  #isHolding = false
  #longestMs = 0
  /** An invocation ran to its deadline and its end was not heard: somebody else has the runtime's questions now. */
  #isDeaf = false
  /** Called when the runtime asks for the next event. */
  #over: (() => void) | undefined

  /** @param limitMs how long the work after a response may hold the freeze off */
  constructor(clock: Clock, limitMs: number, listener?: InvocationListener) {
    this.#clock = clock
    this.#limitMs = limitMs
    this.#listener = listener
    this.#hold = new Hold(clock)
  }

  /** @param ready the runtime's first question waits for it */
  begin(runtime: RuntimeClient, ready: Promise<unknown>): void {
    this.#runtime = runtime
    runtime.listen(
      {
        begun: (requestId, deadlineEpochMs) => this.#begun(requestId, deadlineEpochMs),
        over: () => {
          processWide().invocation = undefined
          this.#isDeaf = false
          this.#over?.()
          this.#listener?.over?.()
        },
      },
      ready,
    )
  }

  /** From the next invocation on, work is put off until its response is posted. */
  hold(): void {
    this.#isHolding = true
  }

  /** Nobody holds the freeze off any more. */
  stop(): void {
    this.#isHolding = false
    void this.#hold.release(0)
  }

  /**
   * Resolves when the invocation that `event` is about is over, and what was put off is done or out of time; at the
   * invocation's deadline less a reserve at the latest.
   */
  async afterResponse(event: ExtensionEvent): Promise<void> {
    const { requestId = '', deadlineMs = 0 } = event
    if (!this.#isDeaf && this.#runtime?.isOver(requestId) === false) {
      const { promise: over, resolve } = Promise.withResolvers<void>()
      this.#over = resolve
      this.#isDeaf = !(await endsWithin(this.#clock, this.#leftMs(deadlineMs), over))
      this.#over = undefined
    }
    await this.#hold.release(Math.min(this.#limitMs, this.#leftMs(deadlineMs)))
  }

  #leftMs(deadlineEpochMs: number): number {
    return Math.max(0, deadlineEpochMs - this.#clock.epochMs() - RESERVE_MS)
  }

  #begun(requestId: string, deadlineEpochMs: number): void {
    if (this.#isHolding && !this.#isDeaf) this.#hold.open()
    this.#announce(requestId, deadlineEpochMs)
    this.#listener?.begun?.()
  }

  #announce(requestId: string, deadlineEpochMs: number): void {
    if (!Number.isFinite(deadlineEpochMs)) return
    this.#longestMs = Math.max(this.#longestMs, deadlineEpochMs - this.#clock.epochMs())
    processWide().invocation = { requestId, deadlineEpochMs, longestMs: this.#longestMs }
  }
}
