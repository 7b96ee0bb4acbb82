/** Looks again and again, and goes on looking when the connection goes away. */

import { type Clock, codeOf, LeaseholdError, within } from '@leasehold/core'

import { type LookAtSessions, sessionsLook } from '../sessions/look.ts'
import { timeOfDay } from '../sessions/wording.ts'
import { kindOf } from '../target/classify.ts'
import type { Connector } from '../target/session.ts'
import type { Protocol } from '../target/target.ts'
import { type Snapshot, takeSnapshot } from './snapshot.ts'
import type { View } from './view.ts'

/** How long it is said that there is a new connection. */
const NOTICE_MS = 10_000

export interface WatchParts {
  readonly pool: Connector
  readonly protocol: Protocol
  readonly clock: Clock
  readonly view: View
  readonly title: string
  readonly everyMs: number
  /** The longest that one look may take. */
  readonly limitMs: number
  readonly fleet: string | undefined
  /** Aborts when somebody has seen enough. */
  readonly quit: AbortSignal
}

/** Until `quit`. Rejects where no look can succeed: a refused password, an unknown database. */
export async function watch(parts: WatchParts): Promise<void> {
  const { clock, everyMs, quit } = parts
  const watcher = new Watcher(parts)
  while (!quit.aborted) {
    await watcher.lookOnce()
    await clock.sleep(everyMs, quit).catch(() => {})
  }
}

/** One look, or its error. */
export async function lookOnce({ clock, fleet, limitMs, pool, title, view }: WatchParts): Promise<void> {
  const atEpochMs = clock.epochMs()
  const snapshot = await within(clock, limitMs, 'a look at the server', () =>
    takeSnapshot(pool, sessionsLook(), atEpochMs, fleet),
  )
  view.show({ snapshot, title, nowEpochMs: atEpochMs, notice: undefined })
}

class Watcher {
  readonly #parts: WatchParts
  readonly #look: LookAtSessions = sessionsLook()
  #snapshot: Snapshot | undefined
  /** Since when there has been no answer. */
  #lostEpochMs: number | undefined
  #code = ''
  #reconnectedEpochMs: number | undefined
  /** When the last look began: its session was given up on purpose where this has grown. */
  #yielded = 0

  constructor(parts: WatchParts) {
    this.#parts = parts
  }

  async lookOnce(): Promise<void> {
    const { clock, fleet, limitMs, pool, quit, title, view } = this.#parts
    const nowEpochMs = clock.epochMs()
    try {
      const taken = await within(clock, limitMs, 'a look at the server', () =>
        takeSnapshot(pool, this.#look, nowEpochMs, fleet),
      )
      this.#sawAnswer(taken, nowEpochMs)
    } catch (error) {
      if (this.#isHopeless(error)) throw error
      this.#lostEpochMs ??= nowEpochMs
      this.#code = LeaseholdError.is(error) ? `no answer within ${limitMs} ms` : codeOf(error)
    }
    if (!quit.aborted)
      view.show({ snapshot: this.#snapshot, title, nowEpochMs, notice: this.#notice(nowEpochMs) })
  }

  #sawAnswer(taken: Snapshot, nowEpochMs: number): void {
    const { yielded } = this.#parts.pool.stats()
    const isOther = this.#snapshot !== undefined && this.#snapshot.ownId !== taken.ownId
    // A slot that was given up to whoever waits is no loss.
    if (this.#lostEpochMs !== undefined || (isOther && yielded === this.#yielded))
      this.#reconnectedEpochMs = nowEpochMs
    this.#yielded = yielded
    this.#lostEpochMs = undefined
    this.#snapshot = taken
  }

  /** Before the first answer; afterwards it was possible, and may be again. */
  #isHopeless(error: unknown): boolean {
    if (this.#snapshot !== undefined || LeaseholdError.is(error)) {
      return LeaseholdError.is(error) && error.code === 'CREDENTIALS_INVALID'
    }
    const kind = kindOf(this.#parts.protocol, error)
    return kind === 'auth' || kind === 'fatal'
  }

  #notice(nowEpochMs: number): string | undefined {
    if (this.#lostEpochMs !== undefined) {
      return `no connection since ${timeOfDay(this.#lostEpochMs)} (${this.#code}), trying again`
    }
    const at = this.#reconnectedEpochMs
    if (at === undefined || nowEpochMs - at > NOTICE_MS) return undefined
    return `connected again at ${timeOfDay(at)}`
  }
}
