/** A thread's places for connections: its even share, and what the sidecar lends it of what others do not use. */

import { type Clock, Moment } from '../clock.ts'
import type { EnvironmentPlace, PlaceKeeper } from '../share.ts'
import { Channel } from './channel.ts'
import type { Answered } from './protocol.ts'

/** A request for one more is forgotten after this: whoever still waits asks again. */
const ASKED_FOR_MS = 1_000

/** A sidecar that has not even heard by then is taken for dead: the thread has its even share, as without. */
const HEARD_WITHIN_MS = 500

/** It is tried again after this, doubling to `MOST_PAUSE_MS`. In Init it starts beside the function. */
const FIRST_PAUSE_MS = 100
const MOST_PAUSE_MS = 5_000

export interface PlaceTerms {
  readonly path: string
  /** What all threads may have together. */
  readonly total: number
  /** What each may have in any case. */
  readonly share: number
}

interface Waiting {
  readonly resolve: (place: EnvironmentPlace) => void
  readonly giveBack: () => boolean
}

export class LentPlaces implements PlaceKeeper {
  readonly #terms: PlaceTerms
  readonly #clock: Clock
  readonly #waiting = new Set<Waiting>()
  /** What is held, and how to be asked to close it. */
  readonly #held = new Map<EnvironmentPlace, () => boolean>()
  readonly #asked: Moment
  #channel: Channel | undefined
  /** Places of the sidecar's, by the numbers they were asked for under. */
  #lent: number[] = []
  /** How many may be held: nothing until the sidecar has said so, or is not there. */
  #mayHold = 0
  /** Places that will go back as soon as they are free. */
  #owedCount = 0
  #askedCount = 0
  /** The last request that is open. */
  #open: number | undefined
  #heardOf = 0
  #pauseMs = FIRST_PAUSE_MS

  constructor(terms: PlaceTerms, clock: Clock) {
    this.#terms = terms
    this.#clock = clock
    this.#asked = new Moment(clock)
    this.#join()
  }

  get mostCount(): number {
    return this.#mayHold
  }

  get isOver(): boolean {
    return this.#held.size > this.#mayHold
  }

  wanted(): void {
    if (this.#channel === undefined || this.#mayHold >= this.#terms.total) return
    if (this.#open !== undefined) {
      if (this.#asked.elapsedMs(this.#clock) < ASKED_FOR_MS) return
      this.#channel.say({ kind: 'give', number: this.#open })
    }
    this.#ask()
  }

  take(signal: AbortSignal, giveBack: () => boolean): Promise<EnvironmentPlace> {
    if (this.#held.size < this.#mayHold) return Promise.resolve(this.#hold(giveBack))
    this.wanted()
    return new Promise((resolve, reject) => {
      const waiting = { resolve, giveBack }
      this.#waiting.add(waiting)
      const onAbort = (): void => {
        if (this.#waiting.delete(waiting)) reject(signal.reason)
      }
      signal.addEventListener('abort', onAbort, { once: true })
    })
  }

  #hold(giveBack: () => boolean): EnvironmentPlace {
    const place: EnvironmentPlace = {
      leave: () => {
        this.#held.delete(place)
        this.#settle()
      },
    }
    this.#held.set(place, giveBack)
    return place
  }

  /** Pays what is owed first; then whoever waits. */
  #settle(): void {
    while (this.#owedCount > 0 && this.#held.size < this.#mayHold + this.#owedCount) {
      this.#owedCount -= 1
      const number = this.#lent.pop()
      if (number !== undefined) this.#channel?.say({ kind: 'give', number })
    }
    for (const waiting of this.#waiting) {
      if (this.#held.size >= this.#mayHold) return
      this.#waiting.delete(waiting)
      waiting.resolve(this.#hold(waiting.giveBack))
    }
  }

  #join(): void {
    const channel = new Channel(this.#terms.path, {
      answered: (answer) => this.#answered(answer),
      lost: () => {
        if (this.#channel === channel) this.#fallBack()
      },
    })
    this.#channel = channel
    for (let count = 0; count < this.#terms.share; count += 1) this.#ask()
  }

  #ask(): void {
    const { total: of, share } = this.#terms
    const channel = this.#channel
    this.#askedCount += 1
    const number = this.#askedCount
    this.#open = number
    this.#asked.set(this.#clock)
    channel?.say({ kind: 'take', number, budget: 'environment', of, share })
    this.#clock.later(HEARD_WITHIN_MS, () => {
      // Timers run first, though the answer may lie in the socket: one turn to read it.
      this.#clock.defer(() => {
        if (this.#channel === channel && this.#heardOf < number) channel?.close()
      })
    })
  }

  #answered(answer: Answered): void {
    switch (answer.kind) {
      case 'taken':
        this.#heardOf = answer.number
        this.#pauseMs = FIRST_PAUSE_MS
        break
      case 'place':
        if (answer.number === this.#open) this.#open = undefined
        this.#lent.push(answer.number)
        this.#mayHold = Math.max(this.#mayHold, this.#lent.length - this.#owedCount)
        this.#settle()
        break
      case 'wanted':
        this.#spare(answer.isFirm)
        break
      case 'refused':
        this.#channel?.close()
    }
  }

  /** One less, where that costs nothing here or is asked for firmly. Never the last one. */
  #spare(isFirm: boolean): void {
    if (this.#mayHold <= 1 || this.#lent.length - this.#owedCount <= 1) return
    if (this.#waiting.size > 0 && !isFirm) return
    const isUnused = this.#held.size < this.#mayHold
    this.#mayHold -= 1
    this.#owedCount += 1
    const isClosing = isUnused || [...this.#held.values()].some((giveBack) => giveBack())
    if (!isClosing && !isFirm) {
      this.#mayHold += 1
      this.#owedCount -= 1
    }
    this.#settle()
  }

  /** As without a sidecar: what is held above the even share is closed when it is given back. */
  #fallBack(): void {
    this.#channel = undefined
    this.#lent = []
    this.#owedCount = 0
    this.#open = undefined
    this.#mayHold = this.#terms.share
    this.#settle()
    this.#clock.later(this.#pauseMs, () => this.#join())
    this.#pauseMs = Math.min(2 * this.#pauseMs, MOST_PAUSE_MS)
  }
}
