/** The lease of one connection, as this side knows it. The server holds the clock; we never outstay it. */

import { type Clock, Moment } from './clock.ts'

/** Who ends the session when the lease runs out: the server, or only this side's own judgement. */
export type LeaseKeeper = 'server' | 'client'

/** We stop using a session this long before the server would end it: a share of the lease, within bounds. */
const MARGIN_SHARE = 0.1
const MIN_MARGIN_MS = 100
const MAX_MARGIN_MS = 1_000

/** Milliseconds before its end at which a lease is no longer relied upon. */
export function leaseMarginMs(leaseMs: number): number {
  return Math.min(Math.max(leaseMs * MARGIN_SHARE, MIN_MARGIN_MS), MAX_MARGIN_MS)
}

/**
 * Granted, then used and touched, until it lapses. Nothing here allocates: `touch` and `usable`
 * run on every checkout and checkin.
 */
export class Lease {
  readonly #clock: Clock
  readonly #lastActive: Moment
  readonly #opened: Moment
  #leaseMs: number
  #usableMs: number
  #keeper: LeaseKeeper

  /**
   * @param leaseMs how long the session may sit idle, in milliseconds
   * @param keeper `client` when the server would not take the lease (an old server, a proxy)
   */
  constructor(clock: Clock, leaseMs: number, keeper: LeaseKeeper) {
    this.#clock = clock
    this.#lastActive = new Moment(clock)
    this.#opened = new Moment(clock)
    this.#leaseMs = leaseMs
    this.#usableMs = leaseMs - leaseMarginMs(leaseMs)
    this.#keeper = keeper
  }

  get leaseMs(): number {
    return this.#leaseMs
  }

  get keeper(): LeaseKeeper {
    return this.#keeper
  }

  /** The server confirmed another lease, or turned out not to hold one. */
  grant(leaseMs: number, keeper: LeaseKeeper = this.#keeper): void {
    this.#leaseMs = leaseMs
    this.#usableMs = leaseMs - leaseMarginMs(leaseMs)
    this.#keeper = keeper
  }

  /** The server answers at this moment: its idle clock starts again. For answers that are awaited. */
  touch(): void {
    this.#lastActive.set(this.#clock)
  }

  /**
   * The server answered something sent at `sent`, and nobody knows when: the environment may have
   * been frozen before it could read the answer. The server's idle clock is at most that old.
   */
  touchSince(sent: Moment): void {
    this.#lastActive.copy(sent)
  }

  /** Milliseconds since the server last answered, by the clock that saw more time pass. */
  idleMs(): number {
    return this.#lastActive.elapsedMs(this.#clock)
  }

  /** Milliseconds since the session was opened. */
  ageMs(): number {
    return this.#opened.elapsedMs(this.#clock)
  }

  /**
   * False from a margin before the lease's end: the session may be gone and must not be used.
   *
   * @param idleMs what `idleMs()` gave a moment ago, to read the clocks but once
   */
  usable(idleMs: number = this.idleMs()): boolean {
    return idleMs < this.#usableMs
  }

  /** Whether the server last answered at least `durationMs` after `moment`. Reads no clock. */
  answeredAfter(moment: Moment, durationMs: number): boolean {
    return moment.isBefore(this.#lastActive, durationMs)
  }
}
