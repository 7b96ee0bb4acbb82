/** One fetch at a time, whoever asks. Each asker waits no longer than it wants to. */

import { type Clock, Moment } from '../clock.ts'

interface Flight<T> {
  readonly result: Promise<T>
  readonly start: Moment
}

/**
 * Nothing is kept once the fetch has settled, a rejection least of all. A fetch that a freeze has
 * overtaken is not joined: its answer may never come.
 */
export class SingleFlight<T> {
  readonly #clock: Clock
  readonly #limitMs: number
  #flight: Flight<T> | undefined

  /** @param limitMs the fetch's own limit; one that is older by the clock was frozen */
  constructor(clock: Clock, limitMs: number) {
    this.#clock = clock
    this.#limitMs = limitMs
  }

  isUnderWay(): boolean {
    return this.#flight !== undefined && this.#flight.start.elapsedMs(this.#clock) <= this.#limitMs
  }

  run(fetch: () => Promise<T>): Promise<T> {
    if (this.#flight !== undefined && this.isUnderWay()) return this.#flight.result
    const flight: Flight<T> = { start: new Moment(this.#clock), result: fetch() }
    this.#flight = flight
    const leave = (): void => {
      if (this.#flight === flight) this.#flight = undefined
    }
    flight.result.then(leave, leave)
    return flight.result
  }
}

/** Settles as `work` does, or rejects with the signal's reason. `work` goes on, for others. */
export function whileWanted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason)
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    const settled = (): void => signal.removeEventListener('abort', onAbort)
    work.then(
      (value) => {
        settled()
        resolve(value)
      },
      (error: unknown) => {
        settled()
        reject(error)
      },
    )
  })
}
