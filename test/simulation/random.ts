// Chance from a seed: the same seed gives the same figures, on every machine.
import type { Random } from '@leasehold/core'

/** Small fast counter generator (32 bits of state are plenty for a simulation of minutes). */
export class SeededRandom implements Random {
  #state: number

  /** @param seed a whole number; neighbouring seeds give unrelated sequences */
  constructor(seed: number) {
    this.#state = Math.imul(seed ^ 0x9e37_79b9, 0x85eb_ca6b) >>> 0
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b_79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }

  /** Exponentially distributed around `mean`. */
  exponential(mean: number): number {
    return -mean * Math.log(1 - this.next())
  }
}
