/** The leases that a fake server holds: its clock goes on while a client is frozen. */

import type { Clock } from '../clock.ts'
import type { FakeSession } from './fake-session.ts'

export class FakeLeases {
  readonly #clock: Clock
  readonly #stands: (session: FakeSession) => boolean
  readonly #end: (session: FakeSession) => void
  /** The newest watch of each session; older ones find that they are not it, and end. */
  readonly #watches = new WeakMap<FakeSession, symbol>()

  /** @param stands whether a session is still open @param end ends a session whose lease ran out */
  constructor(clock: Clock, stands: (session: FakeSession) => boolean, end: (session: FakeSession) => void) {
    this.#clock = clock
    this.#stands = stands
    this.#end = end
  }

  set(session: FakeSession, leaseMs: number): void {
    if (session.server.leaseMs === leaseMs) return
    session.server.leaseMs = leaseMs
    this.watch(session)
  }

  /** So that an idle client hears of its session's end as soon as it runs. The truth is in `endIfLapsed`. */
  watch(session: FakeSession): void {
    const { leaseMs, lastActive } = session.server
    if (leaseMs === undefined) return
    const watch = Symbol('watch')
    this.#watches.set(session, watch)
    this.#clock.later(Math.max(1, leaseMs - lastActive.elapsedMs(this.#clock)), () => {
      if (this.#watches.get(session) !== watch) return
      this.endIfLapsed(session)
      if (this.#stands(session)) this.watch(session)
    })
  }

  endIfLapsed(session: FakeSession): void {
    const { leaseMs, busy, lastActive } = session.server
    if (leaseMs === undefined || busy || lastActive.elapsedMs(this.#clock) < leaseMs) return
    this.#end(session)
  }
}
