/** A secret's versions as this environment last read them: when to read again, and which one to give. */

import { LRUCache } from 'lru-cache'

import { type Clock, Moment } from '../clock.ts'
import { type Credential, isSameCredential } from '../credentials.ts'
import type { Observe } from '../metrics.ts'
import type { Random } from '../random.ts'
import type { SecretReader } from './secret-reader.ts'
import { readSecret, type SecretProperties, type SecretValue } from './secret-value.ts'
import { SingleFlight } from './single-flight.ts'

export const CURRENT = 'AWSCURRENT'
const PENDING = 'AWSPENDING'

/** After an error the one that is kept serves on, and is read again after 1 s, doubling to 128 s. */
const FIRST_RETRY_MS = 1_000
const MOST_RETRY_MS = 128_000

/** The stage that is asked for, and the one that a rotation prepares. */
const MOST_VERSIONS = 2

export interface VersionOptions {
  readonly versionStage: string
  readonly ttlMs: number
  readonly properties: SecretProperties
}

export class SecretVersions {
  readonly #reader: SecretReader
  readonly #clock: Clock
  readonly #random: Random
  readonly #options: VersionOptions
  readonly #kept = new LRUCache<string, SecretValue>({ max: MOST_VERSIONS })
  readonly #flight: SingleFlight<SecretValue>
  readonly #tried: Moment
  /** When what is kept was read. */
  readonly #read: Moment
  #againAfterMs = 0
  #failures = 0
  /** The pending version is what the server took when it refused the current one. */
  #isPendingPreferred = false

  constructor(reader: SecretReader, options: VersionOptions, limitMs: number, clock: Clock, random: Random) {
    this.#reader = reader
    this.#options = options
    this.#clock = clock
    this.#random = random
    this.#flight = new SingleFlight(clock, limitMs)
    this.#tried = new Moment(clock)
    this.#read = new Moment(clock)
  }

  get current(): SecretValue | undefined {
    return this.#kept.get(this.#options.versionStage)
  }

  get pending(): SecretValue | undefined {
    return this.#kept.get(PENDING)
  }

  get isPendingPreferred(): boolean {
    return this.#isPendingPreferred
  }

  /** How long ago the newest version was read. Milliseconds. */
  get ageMs(): number {
    return this.#read.elapsedMs(this.#clock)
  }

  /** What is kept should have been read again, and could not be. */
  get isStale(): boolean {
    return this.#failures > 0
  }

  /** The version to log in with first. Waits for nothing while one is kept, unless `ttlMs` is 0. */
  async preferred(observe?: Observe): Promise<SecretValue> {
    const { current } = this
    if (current === undefined) return this.readCurrent(false, observe)
    if (this.#tried.elapsedMs(this.#clock) >= this.#againAfterMs) {
      const reading = this.readCurrent(false, observe)
      if (this.#options.ttlMs > 0) reading.catch(() => undefined)
      else await reading.catch(() => undefined)
    }
    return (this.#isPendingPreferred ? this.pending : undefined) ?? this.current ?? current
  }

  /** What a refused connect may try: the first that is kept and was not refused, or undefined. */
  prefer(refused: readonly Credential[]): Credential | undefined {
    const { current, pending } = this
    const isFresh = (value: SecretValue | undefined): boolean =>
      value !== undefined && !refused.some((other) => isSameCredential(other, value.credential))
    const isCurrentFresh = isFresh(current)
    this.#isPendingPreferred = !isCurrentFresh && isFresh(pending)
    if (this.#isPendingPreferred) return pending?.credential
    return isCurrentFresh ? current?.credential : undefined
  }

  /** Reads the asked-for stage, one request at a time. The one that is kept stays if that fails. */
  readCurrent(isForced: boolean, observe?: Observe): Promise<SecretValue> {
    return this.#flight.run(async () => {
      this.#tried.set(this.#clock)
      // Until the answer is here, nobody starts another.
      this.#againAfterMs = FIRST_RETRY_MS
      try {
        const text = await this.#reader.read(this.#options.versionStage, isForced, observe)
        const kept = this.#keep(this.#parse(text))
        observe?.('SecretsRenewed', 1)
        return kept
      } catch (error) {
        this.#againAfterMs = Math.min(FIRST_RETRY_MS * 2 ** this.#failures, MOST_RETRY_MS)
        this.#failures += 1
        throw error
      }
    })
  }

  /** Reads what a rotation has prepared, where it has. */
  async readPending(observe?: Observe): Promise<void> {
    const text = await this.#reader.readIfThere(PENDING, observe)
    const isReadable = text !== undefined && text !== ''
    if (isReadable) this.#kept.set(PENDING, this.#parse(text))
    else this.#kept.delete(PENDING)
  }

  #parse(text: string): SecretValue {
    return readSecret(text, this.#options.properties, this.#reader.what)
  }

  #keep(value: SecretValue): SecretValue {
    const { current } = this
    const isOther = current !== undefined && !isSameCredential(current.credential, value.credential)
    if (isOther) {
      // A rotation has ended: what was pending is either this one, or nothing any more.
      this.#kept.delete(PENDING)
      this.#isPendingPreferred = false
    }
    this.#kept.set(this.#options.versionStage, value)
    this.#failures = 0
    this.#tried.set(this.#clock)
    this.#read.set(this.#clock)
    this.#againAfterMs = this.#options.ttlMs * (0.5 + 0.5 * this.#random.next())
    return value
  }
}
