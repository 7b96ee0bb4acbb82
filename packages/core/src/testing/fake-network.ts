/** The way between a fake server and its clients: it takes time, and may swallow everything. */

import type { Clock } from '../clock.ts'
import type { FakeSession } from './fake-session.ts'

export class FakeNetwork {
  readonly #clock: Clock
  readonly #unreachable = new WeakSet<FakeSession>()
  #isBlackhole = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get isBlackhole(): boolean {
    return this.#isBlackhole
  }

  /** What is swallowed stays so, even after `resume`. */
  swallow(sessions: Iterable<FakeSession>): void {
    this.#isBlackhole = true
    for (const session of sessions) this.#unreachable.add(session)
  }

  resume(): void {
    this.#isBlackhole = false
  }

  reaches(session: FakeSession): boolean {
    return !this.#unreachable.has(session)
  }

  async travel(durationMs: number, signal: AbortSignal | undefined, session?: FakeSession): Promise<void> {
    if (durationMs > 0) await this.#clock.sleep(durationMs, signal)
    if (session !== undefined && !this.reaches(session)) await never(signal)
    signal?.throwIfAborted()
  }
}

/** Settles only by the signal. */
export function never(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal?.aborted === true) reject(signal.reason)
    else signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
