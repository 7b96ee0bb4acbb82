/** Gives measurements to the sidecar and remembers them until it has said that it has them. */

import { type Clock, Moment } from '../clock.ts'
import type { Env } from '../env.ts'
import { Channel } from './channel.ts'
import { type Answered, type Measurement, type MetricsPlace, socketOf } from './protocol.ts'

/** A sidecar that is slower than this is taken for one that hangs: waited for in two halves, as a freeze may be one. */
const HALF_LIMIT_MS = 250

/** It may be starting still: so many connects may fail before its work is done without it. */
const MOST_FAILURES = 3
const AGAIN_AFTER_MS = 200
const FIRST_PAUSE_MS = 10_000
const MOST_PAUSE_MS = 600_000

/** Measurements that were given and not acknowledged, those that came back included, at the most. */
const MOST_OPEN = 2_000

/** What became of what was given. */
export interface Settled {
  readonly problem: string | undefined
  /** Given, and not known to have arrived. */
  readonly back: Measurement[]
}

export class Handover {
  readonly #to: MetricsPlace
  readonly #clock: Clock
  readonly #path: string
  readonly #given = new Map<number, readonly Measurement[]>()
  readonly #back: Measurement[] = []
  readonly #failed: Moment
  #channel: Channel | undefined
  #isShunned = false
  #failures = 0
  #pauseMs = 0
  #givenCount = 0
  #openCount = 0
  #problem: string | undefined
  #settled: (() => void) | undefined

  constructor(to: MetricsPlace, clock: Clock, env: Env) {
    this.#to = to
    this.#clock = clock
    this.#path = socketOf(env)
    this.#failed = new Moment(clock)
  }

  /** There is a connection, or there is no sidecar: so much that is given now is sent somewhere. */
  mayGive(count: number): boolean {
    const isSent = this.#channel !== undefined || this.#isShunned
    return isSent && this.#openCount + this.#back.length + count <= MOST_OPEN
  }

  /** Where there is no connection and it is time to try. */
  connect(): void {
    if (this.#channel !== undefined) return
    const pauseMs = this.#isShunned ? this.#pauseMs : AGAIN_AFTER_MS
    if (this.#failures > 0 && this.#failed.elapsedMs(this.#clock) < pauseMs) return
    this.#channel = new Channel(this.#path, {
      answered: (answer) => this.#answered(answer),
      lost: () => this.#lost(),
    })
    if (this.#back.length > 0) this.give(this.#back.splice(0))
  }

  /** Says where measurements will go, before there are any. */
  announce(): void {
    this.connect()
    this.give([])
  }

  give(data: readonly Measurement[]): void {
    this.#givenCount += 1
    const number = this.#givenCount
    const isTaken =
      this.#openCount + data.length <= MOST_OPEN &&
      this.#channel?.say({ kind: 'metrics', number, to: this.#to, data }) === true
    if (!isTaken) {
      this.#back.push(...data)
      return
    }
    this.#given.set(number, data)
    this.#openCount += data.length
  }

  /**
   * Waits for what was given, half a second at the most. Never rejects.
   *
   * @param isLast a sidecar that is starting still is not waited for
   */
  async settle(isLast: boolean): Promise<Settled> {
    for (let half = 0; half < 2 && this.#given.size > 0; half += 1) await this.#answeredWithin(HALF_LIMIT_MS)
    if (this.#given.size > 0) {
      this.#shun('the sidecar does not answer')
      this.#takeBack()
      this.#channel?.close()
    }
    const problem = this.#problem
    this.#problem = undefined
    return { problem, back: this.#isShunned || isLast ? this.#back.splice(0) : [] }
  }

  async #answeredWithin(limitMs: number): Promise<void> {
    const enough = new AbortController()
    this.#settled = () => enough.abort()
    await this.#clock.sleep(limitMs, enough.signal).catch(() => undefined)
    this.#settled = undefined
  }

  #answered(answer: Answered): void {
    if (answer.kind !== 'taken' && answer.kind !== 'refused') return
    const data = this.#given.get(answer.number)
    if (data === undefined) return
    this.#given.delete(answer.number)
    this.#openCount -= data.length
    if (answer.kind === 'taken') {
      this.#failures = 0
      this.#pauseMs = 0
      this.#isShunned = false
    } else {
      this.#back.push(...data)
      this.#shun(`the sidecar does not take metrics (${answer.why})`)
    }
    if (this.#given.size === 0) this.#settled?.()
  }

  #lost(): void {
    this.#channel = undefined
    this.#takeBack()
    this.#failures += 1
    this.#failed.set(this.#clock)
    if (this.#failures >= MOST_FAILURES) this.#shun('there is no sidecar')
    this.#settled?.()
  }

  #takeBack(): void {
    for (const data of this.#given.values()) this.#back.push(...data)
    this.#given.clear()
    this.#openCount = 0
  }

  #shun(why: string): void {
    if (!this.#isShunned) this.#problem = `${why}: the function sends its metrics itself`
    this.#isShunned = true
    this.#pauseMs = Math.min(Math.max(FIRST_PAUSE_MS, 2 * this.#pauseMs), MOST_PAUSE_MS)
  }
}
