/** Secrets of Secrets Manager, read once for all processes and threads of the environment. */

import { LRUCache } from 'lru-cache'

import {
  type Clock,
  type Env,
  Moment,
  type SecretAnswer,
  SecretReader,
  secretsManagerPlace,
  SingleFlight,
  systemRandom,
} from './core.ts'

const DEFAULT_TTL_S = 300
const MOST_TTL_S = 300

/** One reading, with its attempts: less than a process that asks for it will wait. */
const LIMIT_MS = 900

/** It is joined for as long: on a small function the first one loads the SDK for seconds. A freeze does not end it. */
const FLIGHT_MS = 30_000

/** Many processes are refused by the server at the same time: one reading is for all of them. */
const FORCED_EVERY_MS = 500

/** After a failure what is kept is given for this long, doubling to `MOST_RETRY_MS`, before it is read again. */
const FIRST_RETRY_MS = 1_000
const MOST_RETRY_MS = 128_000

const MOST_SECRETS = 200

export interface SecretRequest {
  readonly secretId: string
  readonly versionStage: string
  readonly versionId: string | undefined
}

export class SecretDesk {
  readonly #clock: Clock
  readonly #env: Env
  readonly #ttlMs: number
  readonly #kept = new LRUCache<string, KeptSecret>({ max: MOST_SECRETS })

  constructor(clock: Clock, env: Env) {
    this.#clock = clock
    this.#env = env
    this.#ttlMs = ttlMsOf(env)
  }

  /** Resolves to the answer's body. Rejects with a `LeaseholdError` that has nothing of the secret in it. */
  read(request: SecretRequest, isForced: boolean): Promise<string> {
    const key = JSON.stringify([request.secretId, request.versionStage, request.versionId])
    let kept = this.#kept.get(key)
    if (kept === undefined) {
      kept = new KeptSecret(request, this.#ttlMs, this.#clock, this.#env)
      this.#kept.set(key, kept)
    }
    return kept.get(isForced)
  }
}

class KeptSecret {
  readonly #clock: Clock
  readonly #ttlMs: number
  readonly #versionStage: string
  readonly #reader: SecretReader
  readonly #flight: SingleFlight<string>
  readonly #read: Moment
  readonly #tried: Moment
  #body: string | undefined
  #failures = 0

  constructor({ secretId, versionStage, versionId }: SecretRequest, ttlMs: number, clock: Clock, env: Env) {
    const ask = { secretId, versionId, region: undefined, endpoint: undefined, credentials: undefined }
    const place = secretsManagerPlace(ask, env, bodyOf)
    this.#clock = clock
    this.#ttlMs = ttlMs
    this.#versionStage = versionStage
    this.#reader = new SecretReader(place, LIMIT_MS, clock, systemRandom)
    this.#flight = new SingleFlight(clock, FLIGHT_MS)
    this.#read = new Moment(clock)
    this.#tried = new Moment(clock)
  }

  async get(isForced: boolean): Promise<string> {
    const body = this.#body
    if (body === undefined) return this.#fetch(isForced)
    const ageMs = this.#read.elapsedMs(this.#clock)
    if (isForced) return ageMs < FORCED_EVERY_MS ? body : this.#fetch(true)
    if (ageMs < this.#ttlMs || this.#isPausing()) return body
    const fetched = this.#fetch(false)
    // Read ahead: what is not much too old serves on meanwhile, and where it can't be read again.
    const answered = fetched.catch(() => body)
    return ageMs < 2 * this.#ttlMs ? body : answered
  }

  #isPausing(): boolean {
    if (this.#failures === 0) return false
    const pauseMs = Math.min(FIRST_RETRY_MS * 2 ** (this.#failures - 1), MOST_RETRY_MS)
    return this.#tried.elapsedMs(this.#clock) < pauseMs
  }

  /** One at a time, whoever asks. A failure is never kept. */
  #fetch(isForced: boolean): Promise<string> {
    return this.#flight.run(async () => {
      this.#tried.set(this.#clock)
      const begun = new Moment(this.#clock)
      try {
        const body = await this.#reader.read(this.#versionStage, isForced)
        this.#keep(body, begun)
        return body
      } catch (error) {
        this.#failures += 1
        throw error
      }
    })
  }

  /** As old as its question: an answer may have lain in the socket through a freeze, and a later one come first. */
  #keep(body: string, begun: Moment): void {
    this.#failures = 0
    if (this.#ttlMs === 0 || begun.monotonicMs < this.#read.monotonicMs) return
    this.#body = body
    this.#read.copy(begun)
  }
}

/** In seconds, as AWS's own extension has it; 0 keeps nothing. Source: `SECRETS_MANAGER_TTL`. */
function ttlMsOf(env: Env): number {
  const given = Number(env['SECRETS_MANAGER_TTL'] || Number.NaN)
  return (given >= 0 && given <= MOST_TTL_S ? given : DEFAULT_TTL_S) * 1_000
}

/** As AWS's own extension answers: the answer of Secrets Manager, binary in base64. */
function bodyOf(answer: SecretAnswer): string {
  const { SecretBinary, $metadata: _, ...rest } = answer as SecretAnswer & { $metadata?: unknown }
  const binary =
    SecretBinary === undefined ? {} : { SecretBinary: Buffer.from(SecretBinary).toString('base64') }
  return JSON.stringify({ ...rest, ...binary, ResultMetadata: {} })
}
