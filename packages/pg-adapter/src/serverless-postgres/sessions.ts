/** The pool of one underneath a `ServerlessClient`: made for the newest configuration, and made anew where that asks for it. */

import type pg from 'pg'

import { governedPoolClass } from '../governed-pool.ts'
import type { GovernedPool } from '../pool-types.ts'
import { type ReadConfig, readConfig, type ServerlessConfig } from './config.ts'
import type { HeldClient } from './hand-transaction.ts'
import { isSameTarget, renewPassword } from './target.ts'
import { paceOf } from './waits.ts'

// oxlint-disable-next-line typescript/no-explicit-any -- each event has its own
export type Listener = (...args: any[]) => void

export class Sessions {
  #config: ServerlessConfig
  #wanted: ReadConfig
  #pool: GovernedPool | undefined
  /** What the pool was made of. */
  #madeOf: ReadConfig | undefined
  #newest: HeldClient | undefined
  readonly #listeners: [event: string, listener: Listener][] = []

  /** @throws LeaseholdError `INVALID_OPTIONS` with every problem; `UNSUPPORTED_DRIVER` */
  constructor(config: ServerlessConfig) {
    this.#wanted = readConfig(config)
    this.#config = { ...config }
  }

  get wanted(): ReadConfig {
    return this.#wanted
  }

  /** The client that was handed out last, and can still be used. */
  get newest(): HeldClient | undefined {
    const client = this.#newest
    return client === undefined || client._ending || !client._queryable ? undefined : client
  }

  /** @throws as the constructor does; then nothing has changed */
  configure(config: ServerlessConfig): void {
    const merged = { ...this.#config, ...config }
    this.#wanted = readConfig(merged)
    this.#config = merged
  }

  listen(event: string, listener: Listener): void {
    this.#listeners.push([event, listener])
    this.newest?.on(event, listener)
  }

  /** The pool that there is, or a new one: for the newest configuration, unless `isBound` to the one before. */
  pool(isBound: boolean): GovernedPool {
    const pool = this.#pool
    if (pool !== undefined && this.#madeOf !== undefined) {
      if (isBound || this.#madeOf === this.#wanted) return pool
      if (isSameTarget(this.#madeOf, this.#wanted)) {
        renewPassword(pool, this.#wanted.pool)
        this.#madeOf = this.#wanted
        return pool
      }
      void this.retire()
    }
    this.#madeOf = this.#wanted
    this.#pool = this.#newPool(this.#wanted)
    return this.#pool
  }

  /** Gives up a connect that is under way; whoever waits for it is told so. */
  stopConnecting(): void {
    const pool = this.#pool
    if (pool !== undefined && pool.totalCount > 0 && this.newest === undefined) void this.retire()
  }

  /** Closes the pool, once what runs on it has ended. */
  async retire(): Promise<void> {
    const pool = this.#pool
    this.#pool = undefined
    this.#madeOf = undefined
    this.#newest = undefined
    await pool?.end().catch(ignore)
  }

  #newPool({ library, waits, pool: options }: ReadConfig): GovernedPool {
    const pool = new (governedPoolClass(library, { pace: paceOf(waits) }))(options)
    pool.on('connect', (client) => {
      for (const [event, listener] of this.#listeners) client.on(event as 'error', listener)
    })
    pool.on('acquire', (client: pg.PoolClient) => {
      if (pool === this.#pool) this.#newest = client as HeldClient
    })
    return pool
  }
}

function ignore(): void {}
