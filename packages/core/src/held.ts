/** Connections in the application's hands: their leases are renewed, and none outlives its invocation. */

import type { Clock } from './clock.ts'
import type { GovernedConnection } from './connection.ts'
import type { Diagnostics } from './diagnostics.ts'
import { type Env, functionName } from './env.ts'
import type { InvocationsOfPool } from './invocation.ts'
import { endsWithin } from './lambda/ends-within.ts'
import type { LimitedLog } from './log.ts'
import type { ResolvedOptions } from './options/options.ts'
import { HELD_IDLE_MS, heldEveryMs } from './recall.ts'
import type { Stats } from './stats.ts'

/** What stopping a statement and saying goodbye may take, before the connection is cut. */
const TAKE_AWAY_MS = 1_000

export interface HeldParts {
  readonly clock: Clock
  readonly env: Env
  readonly options: ResolvedOptions
  readonly stats: Stats
  readonly log: LimitedLog
  readonly diagnostics: Diagnostics
  readonly invocations: InvocationsOfPool
  readonly connections: ReadonlySet<GovernedConnection>
}

export class Held {
  readonly #parts: HeldParts
  /** Being taken away. */
  readonly #leaving = new WeakSet<GovernedConnection>()
  #keeping = false

  constructor(parts: HeldParts) {
    this.#parts = parts
  }

  /**
   * While the application holds connections, their leases are renewed long before they run out: neither a
   * lease nor a recall must end a session that is in somebody's hands. Stops by itself when none is held. Hot.
   */
  keep(): void {
    if (!this.#keeping) this.#watch()
  }

  #watch(): void {
    const { clock, connections, invocations, options } = this.#parts
    if (options.lease === 'off' && !invocations.areConcurrent) return
    this.#keeping = true
    clock.later(heldEveryMs(options), () => {
      this.#keeping = false
      this.noticeInvocation()
      let held = false
      for (const governed of connections) {
        if (!governed.checkedOut) continue
        held = true
        if (options.lease !== 'off') void this.#renew(governed)
      }
      if (held) this.keep()
    })
  }

  /**
   * Finds out whether another invocation has begun, and if so ends what the one before left behind.
   *
   * @param own is being handed out, and so is looked at by itself
   */
  noticeInvocation(own?: GovernedConnection): void {
    if (this.#parts.invocations.look()) this.reclaim(own)
  }

  /** Ends what an earlier invocation left: nobody is there any more to give it back, or to commit. */
  reclaim(own?: GovernedConnection): void {
    const { connections, invocations, options } = this.#parts
    for (const governed of [...connections]) {
      const { checkedOut, hands, invocation } = governed
      if (governed === own || this.#leaving.has(governed) || !hands.pooled) continue
      if (!invocations.isOver(invocation)) {
        // Looked for again when its own time is up.
        if (checkedOut) invocations.took(invocation)
        continue
      }
      const isKept = invocation.number === 0 || options.heldAcrossInvocations === 'keep'
      if (checkedOut ? isKept : !hands.inTransaction()) continue
      governed.spoilt = true
      if (checkedOut && invocations.areConcurrent) {
        void this.#takeAway(governed)
        continue
      }
      hands.drop()
      // Told when it is done: whoever hears of it may ask the pool for a connection at once.
      if (checkedOut)
        this.#report('a connection was still checked out when the next invocation began', governed)
      else this.#reportOpenTransaction(governed)
    }
  }

  /**
   * Its invocation is out of time and was answered so, but its code runs on: what runs on the connection is stopped
   * on the server, and the transaction rolled back, before the place is another's.
   */
  async #takeAway(governed: GovernedConnection): Promise<void> {
    const { hands } = governed
    this.#leaving.add(governed)
    await endsWithin(this.#parts.clock, TAKE_AWAY_MS, hands.leave())
    hands.drop()
    this.#report('a connection was still checked out when its invocation was out of time', governed)
  }

  /** Whether an earlier invocation gave `governed`, which is about to be handed out, back inside a transaction. */
  leftOpen(governed: GovernedConnection): boolean {
    const { invocations } = this.#parts
    this.noticeInvocation(governed)
    // Side by side nobody knows yet who will get it.
    const isItsOwn = !invocations.areConcurrent && !invocations.isOver(governed.invocation)
    if (isItsOwn || !governed.hands.inTransaction()) return false
    governed.spoilt = true
    this.#reportOpenTransaction(governed)
    return true
  }

  #reportOpenTransaction(governed: GovernedConnection): void {
    this.#report('a transaction was left open on a connection that was given back', governed)
  }

  /** Something of an earlier invocation was left over, and has to end. */
  #report(what: string, { number, takenAt }: GovernedConnection): void {
    const { diagnostics, env, log, stats } = this.#parts
    stats.reclaimed += 1
    diagnostics.tell('reclaim', () => ({ connection: number }))
    const name = functionName(env)
    const by = name === undefined ? '' : ` in ${name}`
    const where =
      takenAt === undefined ? 'set `traceCheckouts` to see where it was taken' : `taken ${takenAt}`
    log.warn('left-over', `${what}${by}, so it was closed and rolled back; ${where}`)
  }

  async #renew(governed: GovernedConnection): Promise<void> {
    const { lease, hands } = governed
    const idleMs = Math.min(HELD_IDLE_MS, lease.leaseMs / 2)
    if (governed.spoilt || lease.idleMs() < idleMs || !hands.quiet()) return
    this.#parts.stats.renewed += 1
    try {
      await hands.ping()
      // Awaited: the application has it.
      if (governed.checkedOut) governed.lease.touch()
    } catch {
      // The application's next statement meets the driver's own error.
    }
  }
}
