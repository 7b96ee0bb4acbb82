/** What the steps of one examination share, and what each leaves for those after it. */

import type { Socket } from 'node:net'

import { type Clock, type Credential, type Engine, type Env, type FleetView, within } from '@leasehold/core'

import { connector } from '../target/connector.ts'
import { type Place, placeOf } from '../target/place.ts'
import type { Connector } from '../target/session.ts'
import { type PoolOptions, sourceIn, type Target } from '../target/target.ts'
import type { Redactor } from './redactor.ts'

/** The lease that is tried. Whole seconds, as MySQL has them. */
export const LEASE_MS = 2_000

const FLEET = 'leasehold-doctor'

export class Examination {
  readonly target: Target
  readonly clock: Clock
  readonly env: Env
  /** The longest that any single wait may take, in milliseconds. */
  readonly limitMs: number
  readonly redactor: Redactor
  /** The application's own options; completed by what a secret says of its place. */
  options: PoolOptions
  place: Place
  /** The addresses that the name leads to, and the names on the way. */
  addresses: readonly string[] = []
  aliases: readonly string[] = []
  /** Connected, and nothing sent yet. */
  socket: Socket | undefined
  /** Undefined where it was not asked. */
  offersTls: boolean | undefined
  credential: Credential | undefined
  engine: Engine | undefined
  /** Of the first login. */
  loginId: number | undefined
  view: FleetView | undefined
  isBehindProxy = false
  #pool: Connector | undefined

  constructor(
    target: Target,
    parts: {
      readonly clock: Clock
      readonly env: Env
      readonly limitMs: number
      readonly redactor: Redactor
    },
  ) {
    const { clock, env, limitMs, redactor } = parts
    this.target = target
    this.clock = clock
    this.env = env
    this.limitMs = limitMs
    this.redactor = redactor
    this.options = target.options
    this.place = placeOf(target.protocol, target.options, env)
    redactor.knows(this.place.password)
  }

  /** Whether the application's pools ask the server for leases. */
  get asksForLease(): boolean {
    return (this.options['lease'] ?? 'server') === 'server'
  }

  /** Takes in what a secret says of host, port and database. */
  complete(more: PoolOptions): void {
    this.options = { ...this.options, ...more }
    this.place = placeOf(this.target.protocol, this.options, this.env)
  }

  /** A governed pool with the application's options, on leases of 2 s: whatever happens here, it is gone soon. */
  get pool(): Connector {
    if (this.#pool !== undefined) return this.#pool
    const source = sourceIn(this.options)
    const { limitMs, redactor, target } = this
    this.#pool = connector(target.protocol, this.options, {
      most: 2,
      name: 'doctor',
      fleet: FLEET,
      lease: this.asksForLease ? 'server' : 'client',
      minLeaseMs: LEASE_MS,
      maxLeaseMs: LEASE_MS,
      targetPressure: 1,
      reap: false,
      connectTimeoutMs: limitMs,
      acquireTimeoutMs: limitMs,
      resumeBudgetMs: 0,
      queryTimeoutMs: limitMs,
      onSession: undefined,
      traceCheckouts: false,
      logger: { warn: ignore, error: ignore },
      credentials: source === undefined ? undefined : redactor.knowing(source),
    })
    return this.#pool
  }

  /** Rejects with `CONNECT_TIMEOUT` when it takes longer than any wait may. */
  within<T>(
    what: string,
    work: (signal: AbortSignal) => Promise<T>,
    limitMs: number = this.limitMs,
  ): Promise<T> {
    return within(this.clock, limitMs, what, work)
  }

  async end(): Promise<void> {
    this.socket?.destroy()
    const pool = this.#pool
    if (pool !== undefined) await this.within('closing', () => pool.end(), 1_000).catch(ignore)
  }
}

function ignore(): void {}
