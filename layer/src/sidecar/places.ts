/** The environment's places for connections, lent to its threads; those of a thread that ends come back. */

import { type Answered, type Clock, Moment, type Said } from './core.ts'

/** A thread that waits for one of its own share has it as soon as another has closed a connection. */
const FIRM_EVERY_MS = 50
/** And one that has its share, what others do not use: asked for in every so many of these rounds. */
const SOFT_ROUNDS = 4

/** A request is forgotten after this: whoever still waits asks again. Those for a thread's own share stay. */
const ASKED_FOR_MS = 1_000

const MOST_BUDGETS = 16
const MOST_PLACES = 10_000

type Tell = (answer: Answered) => void
type Take = Extract<Said, { kind: 'take' }>

/** One thread. */
interface Thread {
  readonly tell: Tell
  readonly held: Set<number>
}

interface Waiting {
  readonly thread: Thread
  readonly number: number
  readonly asked: Moment
}

class Budget {
  readonly #clock: Clock
  readonly #threads = new Map<Tell, Thread>()
  #queue: Waiting[] = []
  #of = 0
  #share = 1
  /** As many as there ever were at once: the share of one that has not come yet is its own. */
  #threadCount = 0
  #heldCount = 0
  #isAsking = false
  #turn = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get isEmpty(): boolean {
    return this.#threads.size === 0
  }

  take(tell: Tell, { number, of, share }: Take): void {
    this.#of = of
    this.#share = share
    const thread = this.#threads.get(tell) ?? { tell, held: new Set() }
    this.#threads.set(tell, thread)
    this.#threadCount = Math.max(this.#threadCount, this.#threads.size)
    tell({ kind: 'taken', number })
    this.#queue.push({ thread, number, asked: new Moment(this.#clock) })
    this.#serve()
    void this.#askForMore()
  }

  /** A place is free again, or is not asked for any more. */
  give(tell: Tell, number: number): void {
    const thread = this.#threads.get(tell)
    this.#queue = this.#queue.filter((waiting) => waiting.thread !== thread || waiting.number !== number)
    if (thread?.held.delete(number) !== true) return
    this.#heldCount -= 1
    this.#serve()
  }

  leave(tell: Tell): void {
    const thread = this.#threads.get(tell)
    if (thread === undefined) return
    this.#threads.delete(tell)
    this.#heldCount -= thread.held.size
    this.#queue = this.#queue.filter((waiting) => waiting.thread !== thread)
    this.#serve()
  }

  /** Those who have less than their share first, each in the order in which they asked. */
  #serve(): void {
    const placeCount = Math.min(this.#of, this.#threadCount * this.#share)
    while (this.#heldCount < placeCount && this.#queue.length > 0) {
      const poor = this.#queue.findIndex(({ thread }) => this.#isPoor(thread))
      const [next] = this.#queue.splice(Math.max(0, poor), 1)
      if (next === undefined) return
      next.thread.held.add(next.number)
      this.#heldCount += 1
      next.thread.tell({ kind: 'place', number: next.number })
    }
  }

  #isPoor({ held }: Thread): boolean {
    return held.size < this.#share
  }

  async #askForMore(): Promise<void> {
    if (this.#isAsking) return
    this.#isAsking = true
    for (let round = 0; ; round += 1) {
      this.#queue = this.#queue.filter(
        ({ thread, asked }) => this.#isPoor(thread) || asked.elapsedMs(this.#clock) < ASKED_FOR_MS,
      )
      if (this.#queue.length === 0) break
      this.#ask(round % SOFT_ROUNDS === 0)
      await this.#clock.sleep(FIRM_EVERY_MS)
    }
    this.#isAsking = false
  }

  /** Of each of those that have most, one place; of no more threads than there are places waited for. */
  #ask(isSoftToo: boolean): void {
    const poorCount = this.#queue.filter(({ thread }) => this.#isPoor(thread)).length
    const rich = [...this.#threads.values()].toSorted((left, right) => right.held.size - left.held.size)
    const asked = rich.filter(({ held }) => held.size > this.#share).slice(0, poorCount)
    for (const { tell } of asked) tell({ kind: 'wanted', isFirm: true })
    if (!isSoftToo) return
    const waiting = new Set(this.#queue.map(({ thread }) => thread))
    const others = rich.filter((thread) => !waiting.has(thread) && !asked.includes(thread))
    // In turn: one that uses what it has says no every time.
    this.#turn += 1
    for (let count = 0; count < Math.min(others.length, this.#queue.length); count += 1) {
      others[(this.#turn + count) % others.length]?.tell({ kind: 'wanted', isFirm: false })
    }
  }
}

export class Places {
  readonly #clock: Clock
  readonly #budgets = new Map<string, Budget>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** @throws Error where it is not what a thread of ours would ask for */
  take(tell: Tell, take: Take): void {
    const { budget: name, number, of, share } = take
    const isMeant = [number, of, share].every((count) => Number.isInteger(count) && count >= 1)
    if (typeof name !== 'string' || !isMeant || of > MOST_PLACES)
      throw new Error('a place of another version')
    let budget = this.#budgets.get(name)
    if (budget === undefined) {
      if (this.#budgets.size >= MOST_BUDGETS) throw new Error('too many budgets')
      budget = new Budget(this.#clock)
      this.#budgets.set(name, budget)
    }
    budget.take(tell, take)
  }

  give(tell: Tell, number: number): void {
    for (const budget of this.#budgets.values()) budget.give(tell, number)
  }

  leave(tell: Tell): void {
    for (const [name, budget] of this.#budgets) {
      budget.leave(tell)
      if (budget.isEmpty) this.#budgets.delete(name)
    }
  }
}
