/** Tokens in place of passwords, signed once for all processes and threads of the environment. */

import { LRUCache } from 'lru-cache'

import { type Clock, type SignedToken, type SignToken, SingleFlight, type TokenAsk } from './core.ts'

/** Whoever asks renews its own a minute before the end: what is given must live longer than that. */
const RENEW_BEFORE_MS = 180_000

/** A signing is joined for as long: on a small function the first one loads the SDK for seconds. */
const FLIGHT_MS = 30_000
const MOST_TOKENS = 100

/** A token, and how much longer it can be used. */
export interface LivingToken {
  readonly token: string
  readonly lifeMs: number
}

interface Kept {
  readonly flight: SingleFlight<SignedToken>
  signed: SignedToken | undefined
}

export class TokenDesk {
  readonly #clock: Clock
  readonly #sign: SignToken
  readonly #kept = new LRUCache<string, Kept>({ max: MOST_TOKENS })

  constructor(sign: SignToken, clock: Clock) {
    this.#sign = sign
    this.#clock = clock
  }

  async get(ask: TokenAsk): Promise<LivingToken> {
    const key = JSON.stringify([ask.service, ask.host, ask.port, ask.user, ask.region, ask.isAdmin])
    let kept = this.#kept.get(key)
    if (kept === undefined) {
      kept = { flight: new SingleFlight(this.#clock, FLIGHT_MS), signed: undefined }
      this.#kept.set(key, kept)
    }
    const { signed } = kept
    if (signed !== undefined && this.#lifeMs(signed) > RENEW_BEFORE_MS) return this.#living(signed)
    return this.#living((kept.signed = await kept.flight.run(() => this.#sign(ask))))
  }

  #living(signed: SignedToken): LivingToken {
    return { token: signed.token, lifeMs: Math.round(this.#lifeMs(signed)) }
  }

  #lifeMs({ signed, lifeMs }: SignedToken): number {
    return lifeMs - signed.elapsedMs(this.#clock)
  }
}
