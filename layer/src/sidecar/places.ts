/** The environment's places for connections, given out to its threads; those of a thread that ends come back. */

import type { Answered, Clock } from './core.ts'

/** Whoever has more than the one that waits is asked so often to close an idle connection. */
const UNEVEN_MS = 50
/** And whoever has as many, in every so many of these rounds: it may be idle for long. */
const EVEN_ROUNDS = 10

const MOST_BUDGETS = 16
const MOST_PLACES = 100_000

type Tell = (answer: Answered) => void

/** One thread's part in one budget. */
interface Share {
  readonly tell: Tell
  readonly held: Set<number>
}

interface Waiting {
  readonly share: Share
  readonly number: number
}

class Budget {
  readonly name: string
  readonly #clock: Clock
  readonly #shares = new Map<Tell, Share>()
  readonly #queue: Waiting[] = []
  #placeCount: number
  #heldCount = 0
  #isAsking = false

  constructor(name: string, placeCount: number, clock: Clock) {
    this.name = name
    this.#placeCount = placeCount
    this.#clock = clock
  }

  get isEmpty(): boolean {
    return this.#shares.size === 0
  }

  take(tell: Tell, number: number, placeCount: number): void {
    // All threads run the same code: where they differ, a newer one was configured anew.
    this.#placeCount = placeCount
    const share = this.#shares.get(tell) ?? { tell, held: new Set() }
    this.#shares.set(tell, share)
    this.#queue.push({ share, number })
    this.#serve()
    void this.#askForMore()
  }

  /** A place is free again, or is not waited for any more. */
  give(tell: Tell, number: number): void {
    const share = this.#shares.get(tell)
    if (share === undefined) return
    const place = this.#queue.findIndex((waiting) => waiting.share === share && waiting.number === number)
    if (place >= 0) this.#queue.splice(place, 1)
    if (share.held.delete(number)) this.#heldCount -= 1
    this.#serve()
  }

  leave(tell: Tell): void {
    const share = this.#shares.get(tell)
    if (share === undefined) return
    this.#shares.delete(tell)
    this.#heldCount -= share.held.size
    for (let index = this.#queue.length - 1; index >= 0; index -= 1) {
      if (this.#queue[index]?.share === share) this.#queue.splice(index, 1)
    }
    this.#serve()
  }

  /** In the order in which they asked. */
  #serve(): void {
    while (this.#heldCount < this.#placeCount) {
      const next = this.#queue.shift()
      if (next === undefined) return
      next.share.held.add(next.number)
      this.#heldCount += 1
      next.share.tell({ kind: 'place', number: next.number })
    }
  }

  /** As long as somebody waits, one idle connection after the other is asked back for each of them. */
  async #askForMore(): Promise<void> {
    if (this.#isAsking) return
    this.#isAsking = true
    for (let round = 0; this.#queue.length > 0; round += 1) {
      const isForAll = round % EVEN_ROUNDS === EVEN_ROUNDS - 1
      const least = Math.min(...this.#queue.map(({ share }) => share.held.size))
      const asked = [...this.#shares.values()]
        .filter(({ held }) => held.size > (isForAll ? 0 : least + 1))
        .toSorted((left, right) => right.held.size - left.held.size)
        .slice(0, this.#queue.length)
      for (const { tell } of asked) tell({ kind: 'wanted', budget: this.name })
      await this.#clock.sleep(UNEVEN_MS)
    }
    this.#isAsking = false
  }
}

export class Places {
  readonly #clock: Clock
  readonly #budgets = new Map<string, Budget>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** @throws Error where it is not what a thread of ours would ask for */
  take(tell: Tell, number: number, name: string, placeCount: number): void {
    const isMeant =
      typeof name === 'string' && Number.isInteger(placeCount) && placeCount >= 1 && placeCount <= MOST_PLACES
    if (!isMeant || !Number.isInteger(number)) throw new Error('a place of another version')
    let budget = this.#budgets.get(name)
    if (budget === undefined) {
      if (this.#budgets.size >= MOST_BUDGETS) throw new Error('too many budgets')
      budget = new Budget(name, placeCount, this.#clock)
      this.#budgets.set(name, budget)
    }
    budget.take(tell, number, placeCount)
  }

  give(tell: Tell, number: number): void {
    for (const budget of this.#budgets.values()) budget.give(tell, number)
  }

  leave(tell: Tell): void {
    for (const budget of this.#budgets.values()) {
      budget.leave(tell)
      if (budget.isEmpty) this.#budgets.delete(budget.name)
    }
  }
}
