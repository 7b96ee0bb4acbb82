/** Reads one version of a secret, trying again while waiting helps, within one limit. */

import type { Clock } from '../clock.ts'
import { within } from '../deadline.ts'
import type { Observe } from '../metrics.ts'
import type { Random } from '../random.ts'
import { failureOf, isThrottled, isTransient, nameOf } from './failure.ts'

const MOST_ATTEMPTS = 5
const FIRST_DELAY_MS = 100

/** One request for the secret's text. Rejects with the service's error. */
export type AskForSecret = (ask: SecretAsk) => Promise<string>

export interface SecretAsk {
  readonly versionStage: string
  /** Whatever caches in between is asked to pass the request on. */
  readonly isForced: boolean
  readonly signal: AbortSignal
}

export interface SecretPlace {
  /** The secret, as a message names it. */
  readonly what: string
  readonly ifUnavailable: string
  /** Loads what asks. Not within the limit, which is for the network. */
  readonly open: () => Promise<AskForSecret>
}

export class SecretReader {
  readonly #clock: Clock
  readonly #random: Random
  readonly #limitMs: number
  readonly #place: SecretPlace
  #ask: AskForSecret | undefined

  constructor(place: SecretPlace, limitMs: number, clock: Clock, random: Random) {
    this.#place = place
    this.#limitMs = limitMs
    this.#clock = clock
    this.#random = random
  }

  get what(): string {
    return this.#place.what
  }

  /**
   * @throws LeaseholdError `CREDENTIALS_UNAVAILABLE` where waiting may help, else `CREDENTIALS_INVALID`
   */
  async read(versionStage: string, isForced: boolean, observe?: Observe): Promise<string> {
    const ask = (this.#ask ??= await this.#place.open())
    let attempts = 0
    let last: unknown
    const attemptAll = async (signal: AbortSignal): Promise<string> => {
      for (;;) {
        attempts += 1
        try {
          return await ask({ versionStage, isForced, signal })
        } catch (error) {
          if (isThrottled(error)) observe?.('SecretsThrottled', 1)
          if (signal.aborted || attempts >= MOST_ATTEMPTS || !isTransient(error)) throw error
          last = error
        }
        const delayMs = FIRST_DELAY_MS * 2 ** (attempts - 1) * this.#random.next()
        await this.#clock.sleep(delayMs, signal)
      }
    }
    try {
      return await within(this.#clock, this.#limitMs, `reading ${this.what}`, attemptAll)
    } catch (error) {
      // At the limit, the service's own last word says more than the clock's.
      const shown = last !== undefined && isTransient(error) ? last : error
      const { what, ifUnavailable } = this.#place
      throw failureOf(shown, { what, ifUnavailable, limitMs: this.#limitMs, attempts })
    }
  }

  /** Like `read`, but undefined where the stage has no version, or may not be read. */
  async readIfThere(versionStage: string, observe?: Observe): Promise<string | undefined> {
    try {
      return await this.read(versionStage, true, observe)
    } catch (error) {
      if (ABSENT.has(nameOf((error as { cause?: unknown }).cause))) return undefined
      throw error
    }
  }
}

/** A policy may allow AWSCURRENT alone; to us the other is then not there. */
const ABSENT: ReadonlySet<string> = new Set([
  'AccessDeniedException',
  'InvalidRequestException',
  'ResourceNotFoundException',
])
