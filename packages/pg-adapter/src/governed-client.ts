/** A genuine `pg.Client` whose connect backs off, asks for a lease, and leaves no session behind. */

import {
  type Attempt,
  type Credential,
  type CredentialTarget,
  type GovernedConnection,
  type Governor,
  type Hands,
  isRdsHost,
  type Opened,
  rdsTls,
  tlsRequired,
} from '@leasehold/core'
import type pg from 'pg'

import { postgresDialect } from './dialect.ts'
import type { DriverClient, DriverConnection, PgModule } from './driver.ts'
import { saysWhetherTls } from './options.ts'
import { abandon, disarm, passwordOf, rearm, rememberUnconnected, type Unconnected } from './rearm.ts'

/** What a pool does for the hands on one of its clients. */
export interface ClientHome {
  idle(client: DriverClient): boolean
  yield(client: DriverClient): void
  drop(client: DriverClient): void
}

/** A governed client, as pool and tests see it. */
export interface GovernedClient extends DriverClient {
  /** Undefined until connected. */
  readonly governed: GovernedConnection | undefined
  /** Makes no further attempt to connect. The one under way goes on: requests may be waiting for it. */
  stopConnecting(reason: Error): void
}

export type GovernedClientClass = new (config?: string | pg.ClientConfig) => pg.Client & GovernedClient

type ConnectCallback = (error: Error | null, client?: unknown) => void

/**
 * @param governorOf the governor of a client with this config; one per pool, or per target
 * @param home the pool that clients of this class live in; standalone clients have none
 */
export function governedClientClass(
  driver: PgModule,
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
    #inTransaction = false
    #unconnected: Unconnected | undefined
    #governed: GovernedConnection | undefined
    #startupOptions = ''
    #name: string | undefined

    constructor(given?: unknown) {
      const { governor, config } = governorOf(given)
      super(config)
      this.#governor = governor
      this.#config = config
      // For the client's whole life: an idle connection's end must never be an uncaught exception.
      this.on('error', ignore)
    }

    get governed(): GovernedConnection | undefined {
      return this.#governed
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
      this.#name = this.connectionParameters.application_name
      this.#opening = true
      this.#attempting = true
      try {
        const { governed } = await this.#governor.open(
          (attempt) => this.#attempt(attempt),
          this.#stop.signal,
          this.#target(),
        )
        this.#governed = governed
        this.#watch(governed)
        return this
      } catch (error) {
        abandon(this, error)
        throw error
      } finally {
        this.#opening = false
      }
    }

    #target(): CredentialTarget {
      const { host = 'localhost', port = 5432, user } = this.connectionParameters
      return { host, port, user }
    }

    async #attempt(attempt: Attempt): Promise<Opened<this>> {
      // Before anything of the client is touched: what comes too late must leave the next attempt alone.
      const tls = this.#needsRdsTls() ? await rdsTls() : undefined
      attempt.signal.throwIfAborted()
      if (this.#attempts > 0) rearm(this, this.#unconnected as Unconnected, this.#freshConnection())
      this.#attempts += 1
      let isOver = false
      this.password = passwordOf(this.#unconnected as Unconnected, () => isOver)
      if (tls !== undefined) {
        const { secureContext, rejectUnauthorized } = tls
        this.ssl = this.connection.ssl = { secureContext, rejectUnauthorized }
      }
      if (attempt.credential !== undefined) this.#logInAs(attempt.credential)
      const governor = this.#governor
      const leaseMs = governor.asksForLease ? governor.startLeaseMs(attempt.wasRefused) : undefined
      const asked = leaseMs === undefined ? '' : ` -c idle_session_timeout=${Math.round(leaseMs)}`
      this.connectionParameters.options = (this.#startupOptions + asked).trim()
      if (governor.options.lease !== 'off')
        this.connectionParameters.application_name = governor.label(attempt, this.#name)
      this.#attempting = true
      try {
        await this.#connectOnce(attempt.signal)
      } catch (error) {
        isOver = true
        disarm(this)
        if (this.#stopReason !== undefined) this.#stop.abort(this.#stopReason)
        throw error
      } finally {
        this.#attempting = false
      }
      return { connection: this, hands: this.#hands(), leaseMs, exact: leaseMs !== undefined }
    }

    /** RDS gets TLS, verified, unless the application said what it wants. */
    #needsRdsTls(): boolean {
      const { host } = this.connectionParameters
      return !this.ssl && host !== undefined && isRdsHost(host) && !saysWhetherTls(this.#config)
    }

    #logInAs({ user, password }: Credential): void {
      if (this.#governor.options.credentials?.isClearText === true && !this.ssl) throw tlsRequired('ssl')
      this.password = password
      this.connectionParameters.password = password
      if (user === undefined) return
      this.user = user
      this.connectionParameters.user = user
    }

    #connectOnce(signal: AbortSignal): Promise<void> {
      return new Promise((resolve, reject) => {
        const onAbort = (): void => {
          // The error reaches the callback below by the driver's own way; if not, the caller's deadline holds.
          this.connection.stream.destroy(signal.reason as Error)
          reject(signal.reason)
        }
        if (signal.aborted) {
          reject(signal.reason)
          return
        }
        signal.addEventListener('abort', onAbort, { once: true })
        super.connect((error) => {
          signal.removeEventListener('abort', onAbort)
          if (error === null || error === undefined) resolve()
          else reject(error)
        })
      })
    }

    /** From a client of the driver's own making: only it knows how to make a socket for this config. */
    #freshConnection(): DriverConnection {
      return new Base(this.#config).connection
    }

    #hands(): Hands {
      return {
        run: (statement) =>
          new Promise((resolve, reject) => {
            super.query(statement, (error, result) => (error ? reject(error) : resolve(result.rows)))
          }),
        ping: () =>
          new Promise((resolve, reject) => {
            super.query('', (error) => (error ? reject(error) : resolve()))
          }),
        // Inside a transaction the server's lease does not run; a ping would only defeat the timeout that does.
        quiet: () => this.readyForQuery === true && this._queryQueue.length === 0 && !this.#inTransaction,
        idle: () => !this.#inTransaction && (home?.idle(this) ?? false),
        yield: () => home?.yield(this),
        drop: () => home?.drop(this),
      }
    }

    #watch(governed: GovernedConnection): void {
      const { connection } = this
      // Before the driver hands the answer over, whereupon a pool's own query releases the client.
      connection.prependListener('readyForQuery', (message?: { status?: string }) => {
        this.#inTransaction = message?.status === 'T' || message?.status === 'E'
        this.#governor.answered(governed)
      })
      connection.on('errorMessage', (message) => {
        if (governed.spoilt || postgresDialect.classify(message) !== 'read-only') return
        governed.spoilt = true
        this.#governor.stats.evicted += 1
      })
      connection.once('end', () => this.#governor.forget(governed))
    }
  }

  Object.defineProperty(GovernedClientImpl, 'name', { value: 'GovernedClient' })
  return GovernedClientImpl as unknown as GovernedClientClass
}

function ignore(): void {}
