/** A genuine `pg.Client` whose connect backs off, asks for a lease, and leaves no session behind. */

import {
  type Attempt,
  type GovernedConnection,
  type Governor,
  type LeaseholdOptions,
  limitsIn,
  type Opened,
  rdsTls,
  statementProblem,
} from '@leasehold/core'
import type pg from 'pg'

import { attemptOnce, type ConnectCallback, logInAs, needsRdsTls, targetOf } from './attempt.ts'
import type { Cancellable } from './cancel.ts'
import type {
  DriverClient,
  DriverConnection,
  DriverResult,
  PgModule,
  QueryCallback,
  SaslMessage,
} from './driver.ts'
import { deliver, runLimited } from './limited-query.ts'
import type { GovernedQuery } from './pool-types.ts'
import { prepareSession } from './prepare.ts'
import { abandon, disarm, passwordOf, rearm, rememberUnconnected, type Unconnected } from './rearm.ts'
import { answerChallenge } from './scram.ts'
import { type ClientHome, ClientSession } from './session.ts'
import { setsTransactionIdle, startupOptions } from './startup.ts'
import { awaitsAnswer, callbackIn, copyOf, isSubmittable } from './statement.ts'

/** Leads from a pool or client to its governor, over copies of this package. */
export const GOVERNOR: unique symbol = Symbol.for('leasehold.pg.governor') as never

/** A governed client, as pool and tests see it. */
export interface GovernedClient extends Cancellable {
  /** Undefined until connected. */
  readonly governed: GovernedConnection | undefined
  readonly [GOVERNOR]: Governor
  /** Gives a statement of ours to the driver, past everything that limits the application's. */
  ask(statement: string): Promise<DriverResult>
  /** Cuts the connection: what is on it fails, and the server rolls back. */
  cut(): void
  /** Makes no further attempt to connect. The one under way goes on: requests may be waiting for it. */
  stopConnecting(reason: Error): void
}

export type GovernedClientClass = new (
  config?: string | (pg.ClientConfig & LeaseholdOptions),
) => pg.Client & { readonly query: GovernedQuery } & Omit<GovernedClient, keyof pg.Client>

/**
 * @param governorOf the governor of a client with this config; one per pool, or per target
 * @param home the pool that clients of this class live in; standalone clients have none
 */
export function governedClientClass(
  driver: Pick<PgModule, 'Client'>,
  governorOf: (config: unknown) => { governor: Governor; config: unknown },
  home?: ClientHome,
): GovernedClientClass {
  const Base = driver.Client as unknown as new (config?: unknown) => DriverClient

  class GovernedClientImpl extends Base {
    readonly #governor: Governor
    readonly #config: unknown
    readonly #stop = new AbortController()
    #stopReason: Error | undefined
    #opening = false
    #attempting = false
    #attempts = 0
    #unconnected: Unconnected | undefined
    #governed: GovernedConnection | undefined
    readonly #session: ClientSession
    #holds = 0
    #startupOptions = ''
    #transactionIdleMs = 0
    #name: string | undefined

    constructor(given?: unknown) {
      const { governor, config } = governorOf(given)
      super(config)
      this.#governor = governor
      this.#config = config
      this.#session = new ClientSession(this, governor, home, (statement) => this.ask(statement))
      // For the client's whole life: an idle connection's end must never be an uncaught exception.
      this.on('error', ignore)
    }

    get governed(): GovernedConnection | undefined {
      return this.#governed
    }

    get [GOVERNOR](): Governor {
      return this.#governor
    }

    ask(statement: string): Promise<DriverResult> {
      return new Promise((resolve, reject) => {
        super.query(statement, (error?: Error | null, result?: unknown) =>
          error ? reject(error) : resolve(result as DriverResult),
        )
      })
    }

    cut(): void {
      if (this.#governed !== undefined) this.#governed.spoilt = true
      this.connection.stream.destroy()
    }

    /** The driver's own way, unless something limits the statement or it can only fail. */
    override query(config: unknown, values?: unknown, callback?: unknown): unknown {
      if (isSubmittable(config) || config === null || config === undefined) {
        return super.query(config, values, callback)
      }
      const problem = statementProblem(config)
      const limits = limitsIn(this.#governor, config)
      if (problem === undefined && limits === undefined && this._queryable && !this._ending) {
        return super.query(config, values, callback)
      }
      const done = callbackIn(config, values, callback)
      const given = typeof values === 'function' ? undefined : values
      const send = (answer: QueryCallback): unknown => super.query(copyOf(config), given, answer)
      const asked =
        problem === undefined
          ? runLimited(this, this.#governor, limits, send, () => this.cut())
          : Promise.reject(problem)
      return deliver(asked, done, this._Promise)
    }

    override _errorAllQueries(error: unknown): void {
      // One error for all of them: what waited was not sent, but what was sent may have run.
      if (this.#governed !== undefined) this.#governor.statements.explainLoss(error, this, awaitsAnswer(this))
      super._errorAllQueries(error)
    }

    override _pulseQueryQueue(): void {
      if (this.#holds === 0) super._pulseQueryQueue()
    }

    holdQueries(): () => void {
      this.#holds += 1
      return () => {
        this.#holds -= 1
        this._pulseQueryQueue()
      }
    }

    stopConnecting(reason: Error): void {
      this.#stopReason = reason
      if (!this.#attempting) this.#stop.abort(reason)
    }

    /** The driver waits for a connection to close; one that is not made yet is given up instead. */
    override end(callback?: () => void): Promise<void> {
      if (!this.#opening) return super.end(callback)
      this._ending = true
      this.#stop.abort(new Error('Connection terminated'))
      const ended = new Promise<void>((resolve) => this.once('end', resolve))
      if (callback === undefined) return ended
      void ended.then(() => process.nextTick(callback))
      return undefined as unknown as Promise<void>
    }

    override connect(callback?: ConnectCallback): Promise<unknown> {
      const opening = this.#open()
      if (callback === undefined) return opening
      // Out of the promise's reach: what the callback throws is the caller's, not a rejection of ours.
      opening.then(
        () => process.nextTick(callback, null, this),
        (error: unknown) => process.nextTick(callback, error as Error),
      )
      return undefined as unknown as Promise<unknown>
    }

    async #open(): Promise<this> {
      if (this.#unconnected !== undefined) {
        throw new Error('Client has already been connected. You cannot reuse a client.')
      }
      this.#unconnected = rememberUnconnected(this)
      this.#startupOptions = this.connectionParameters.options ?? ''
      const { transactionIdleMs } = this.#governor.options
      this.#transactionIdleMs = setsTransactionIdle(this, this.#config) ? 0 : transactionIdleMs
      this.#name = this.connectionParameters.application_name
      this.#opening = true
      this.#attempting = true
      try {
        const { governed } = await this.#governor.open(
          (attempt) => this.#attempt(attempt),
          this.#stop.signal,
          targetOf(this),
        )
        this.#governed = governed
        this.#session.watch(governed)
        return this
      } catch (error) {
        abandon(this, error)
        throw error
      } finally {
        this.#opening = false
      }
    }

    async #attempt(attempt: Attempt): Promise<Opened<this>> {
      // Before anything of the client is touched: what comes too late must leave the next attempt alone.
      const tls = needsRdsTls(this, this.#config) ? await rdsTls() : undefined
      attempt.signal.throwIfAborted()
      if (this.#attempts > 0) rearm(this, this.#unconnected as Unconnected, this.freshConnection())
      this.#attempts += 1
      let isOver = false
      this.password = passwordOf(this.#unconnected as Unconnected, () => isOver)
      if (tls !== undefined) {
        const { secureContext, rejectUnauthorized } = tls
        this.ssl = this.connection.ssl = { secureContext, rejectUnauthorized }
      }
      const governor = this.#governor
      if (attempt.credential !== undefined) logInAs(this, governor, attempt.credential)
      const leaseMs = governor.asksForLease ? governor.startLeaseMs(attempt.queued) : undefined
      this.connectionParameters.options = startupOptions({
        own: this.#startupOptions,
        leaseMs,
        transactionIdleMs: this.#transactionIdleMs,
      })
      if (governor.options.lease !== 'off')
        this.connectionParameters.application_name = governor.label(
          attempt,
          this.#name,
          home === undefined ? undefined : governor.recallTerms,
        )
      this.#attempting = true
      const { stream } = this.connection
      try {
        const connect = (callback: ConnectCallback): void => void super.connect(callback)
        const connectOnce = (): Promise<void> => attemptOnce(this, connect, attempt)
        await prepareSession(this, governor, connectOnce, attempt.signal)
      } catch (error) {
        isOver = true
        disarm(this, stream)
        if (this.#stopReason !== undefined) this.#stop.abort(this.#stopReason)
        throw error
      } finally {
        this.#attempting = false
      }
      return { connection: this, hands: this.#session.hands, leaseMs, exact: leaseMs !== undefined }
    }

    override _handleAuthSASLContinue(message: SaslMessage): unknown {
      return answerChallenge(this, message.data) ? undefined : super._handleAuthSASLContinue(message)
    }

    /** From a client of the driver's own making: only it knows how to make a socket for this config. */
    freshConnection(): DriverConnection {
      return new Base(this.#config).connection
    }
  }

  Object.defineProperty(GovernedClientImpl, 'name', { value: 'GovernedClient' })
  return GovernedClientImpl as unknown as GovernedClientClass
}

function ignore(): void {}
