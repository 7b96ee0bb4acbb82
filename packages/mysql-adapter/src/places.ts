/** The places that opening requests hold in a mysql2 pool while they are between two attempts. */

import { type DriverConnection, type DriverPool, indexIn } from './driver.ts'

/** A connection was given back while this request was backing off. */
export const OTHER_FREE: Error = new Error('another connection is free')

/** A request that is opening a connection. */
export interface Opening {
  readonly stop: AbortController
  /** In the driver's list of connections while no real one is there for this request. */
  standIn: DriverConnection | undefined
  /** The real one, while it is being connected. */
  connecting: DriverConnection | undefined
}

export class Places {
  readonly #pool: DriverPool
  readonly #openings = new Set<Opening>()
  /** The driver's own: lets the next request in the queue open in a place that is free now. */
  readonly #letNextOpen: (standIn: DriverConnection) => void

  constructor(pool: DriverPool, letNextOpen: (standIn: DriverConnection) => void) {
    this.#pool = pool
    this.#letNextOpen = letNextOpen
  }

  /** A new opening, which holds a place from now on. */
  enter(): Opening {
    const opening: Opening = { stop: new AbortController(), standIn: undefined, connecting: undefined }
    this.#openings.add(opening)
    this.hold(opening)
    return opening
  }

  /** It is open: the real connection has the place. */
  succeed(opening: Opening): void {
    opening.connecting = undefined
    this.#openings.delete(opening)
  }

  /** It is given up: the place goes to the next request in the queue. */
  giveUp(opening: Opening): void {
    this.#openings.delete(opening)
    const { standIn } = opening
    this.leave(opening)
    if (standIn !== undefined) this.#letNextOpen(standIn)
  }

  /**
   * The driver takes a connection out of the pool, and then lets a waiting request open in its place. Where
   * the connection was still being made, the place stays with whoever makes it.
   */
  keep(connection: DriverConnection): void {
    for (const opening of this.#openings) {
      if (opening.connecting === connection) this.hold(opening)
    }
  }

  hold(opening: Opening): void {
    opening.connecting = undefined
    if (opening.standIn !== undefined || this.#pool._closed) return
    const standIn = { _pool: null, _realEnd: (callback?: () => void) => callback?.() }
    opening.standIn = standIn as unknown as DriverConnection
    this.#pool._allConnections.push(opening.standIn)
  }

  /** Makes room for the real connection of the next attempt. */
  leave(opening: Opening): void {
    const { standIn } = opening
    if (standIn === undefined) return
    opening.standIn = undefined
    const index = indexIn(this.#pool._allConnections, standIn)
    if (index >= 0) this.#pool._allConnections.removeOne(index)
  }

  /** A connection is free: one request that is between two attempts takes it instead. */
  stopOneBackingOff(): void {
    if (this.#openings.size === 0 || this.#pool._freeConnections.length === 0) return
    for (const opening of this.#openings) {
      if (opening.standIn === undefined) continue
      this.#openings.delete(opening)
      opening.stop.abort(OTHER_FREE)
      return
    }
  }

  stopAll(reason: Error): void {
    for (const opening of this.#openings) opening.stop.abort(reason)
  }
}
