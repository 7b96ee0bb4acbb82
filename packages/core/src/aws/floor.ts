/** The least time between two forced renewals, so that a wrong password cannot hammer anybody. */

import { LRUCache } from 'lru-cache'

import { type Clock, Moment } from '../clock.ts'

/** Renewals that bring nothing new double the floor this often. */
const MOST_DOUBLINGS = 5

/** After so many times the highest floor without a renewal, the first floor is back. */
const FORGIVEN_AFTER = 2

const MOST_TARGETS = 100

class Floor {
  readonly last: Moment
  inVainCount = 0

  constructor(clock: Clock) {
    this.last = new Moment(clock)
  }
}

/** One floor for each target: what one server refuses must not delay another's renewal. */
export class RenewalFloors {
  readonly #clock: Clock
  readonly #floorMs: number
  readonly #floors = new LRUCache<string, Floor>({ max: MOST_TARGETS })

  /** @param floorMs after a renewal that brought something new; doubled after each that did not */
  constructor(clock: Clock, floorMs: number) {
    this.#clock = clock
    this.#floorMs = floorMs
  }

  /** Milliseconds until the target may be renewed again; 0 when it may be now. */
  leftMs(target: string): number {
    const floor = this.#floors.get(target)
    if (floor === undefined) return 0
    const floorMs = this.#floorMs * 2 ** Math.min(floor.inVainCount, MOST_DOUBLINGS)
    return Math.max(0, floorMs - floor.last.elapsedMs(this.#clock))
  }

  /** A forced renewal begins. */
  begin(target: string): void {
    const floor = this.#floors.get(target)
    if (floor === undefined) {
      this.#floors.set(target, new Floor(this.#clock))
      return
    }
    const quietMs = floor.last.elapsedMs(this.#clock)
    if (quietMs >= this.#floorMs * 2 ** MOST_DOUBLINGS * FORGIVEN_AFTER) floor.inVainCount = 0
    floor.last.set(this.#clock)
  }

  /** What came of it. */
  end(target: string, broughtNew: boolean): void {
    const floor = this.#floors.get(target)
    if (floor === undefined) return
    floor.inVainCount = broughtNew ? 0 : floor.inVainCount + 1
  }
}
