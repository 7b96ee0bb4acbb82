/** Randomness comes in through this port, so that a policy can be replayed. */

export interface Random {
  /** A number from 0 (included) to 1 (excluded). */
  next(): number
}

export const systemRandom: Random = { next: () => Math.random() }
