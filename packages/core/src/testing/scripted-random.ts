import type { Random } from '../random.ts'

/** Returns the given numbers in turn, and the last one for ever after. */
export class ScriptedRandom implements Random {
  readonly #numbers: readonly number[]
  #index = 0

  constructor(...numbers: readonly number[]) {
    this.#numbers = numbers.length === 0 ? [0.5] : numbers
  }

  next(): number {
    const number = this.#numbers[Math.min(this.#index, this.#numbers.length - 1)] ?? 0.5
    this.#index += 1
    return number
  }
}
