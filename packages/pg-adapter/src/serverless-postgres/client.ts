/** serverless-postgres' `ServerlessClient`, on a governed pool of one: its session carries a lease, and may be replaced between statements. */

import {
  type PoolGovernance,
  runsSeveralInvocations,
  type StatementOptions,
  systemEnv,
  type TransactionOptions,
} from '@leasehold/core'
import type pg from 'pg'

import type { GovernedPool, GovernedPoolClient } from '../pool-types.ts'
import { isSubmittable } from '../statement.ts'
import { transaction } from '../transaction.ts'
import { Cleaner } from './cleaner.ts'
import type { ServerlessConfig } from './config.ts'
import { HandTransaction, type HeldClient } from './hand-transaction.ts'
import { PluginCleaner } from './plugin-cleaner.ts'
import type { ServerlessPlugin } from './plugin.ts'
import { type Listener, Sessions } from './sessions.ts'
import { isBegin, textOf } from './statement-text.ts'
import { stream } from './stream.ts'

type Query = [query: unknown, values?: unknown]

/** The types that a configuration and a plugin are written with. */
export declare namespace ServerlessClient {
  export type Config = ServerlessConfig
  export type Plugin = ServerlessPlugin
}

export class ServerlessClient {
  readonly #sessions: Sessions
  readonly #pluginCleaner: PluginCleaner | undefined
  readonly #transaction = new HandTransaction()
  #turn: Promise<unknown> = Promise.resolve()
  #entered: string | undefined
  #cleaned: { readonly pool: GovernedPool; readonly cleaner: Cleaner } | undefined

  /**
   * Opens nothing.
   *
   * @throws LeaseholdError `INVALID_OPTIONS` with every problem; `UNSUPPORTED_DRIVER`
   */
  constructor(config: ServerlessConfig = {}) {
    this.#sessions = new Sessions(config)
    // Read once, as ever.
    const { plugin } = this.#sessions.wanted.clean
    this.#pluginCleaner = plugin === undefined ? undefined : new PluginCleaner(plugin)
  }

  /** Opens a session where there is none that can be used. Not necessary before `query`, which does the same. */
  connect(): Promise<void> {
    return this.#inTurn(async () => {
      const pool = this.#pool()
      if (this.#transaction.isOpen) return
      const client = await pool.connect()
      client.release()
    })
  }

  /**
   * As `pg.Client.query`, with a callback too; `idempotent`, `queryTimeoutMs` and `signal` may stand beside
   * `text`. Statements run one after another. From a `BEGIN` until its end all run on one session; where that
   * is lost, all fail until `ROLLBACK` or `COMMIT`. None is sent twice unless the server did not read it, or
   * it is `idempotent` and outside a transaction.
   *
   * @throws the driver's own error, `error.leasehold` on it where the connection was lost
   * @throws LeaseholdError `TRANSACTION_ABORTED` after a loss inside a transaction; `QUERY_TIMEOUT`
   */
  // oxlint-disable-next-line typescript/no-explicit-any -- as the driver has it
  query<R extends pg.QueryResultRow = any, I = unknown[]>(
    query: string | (pg.QueryConfig<I> & StatementOptions),
    values?: pg.QueryConfigValues<I>,
  ): Promise<pg.QueryResult<R>>
  query<T extends pg.Submittable>(query: T): Promise<T>
  query(
    query: string | pg.QueryConfig,
    callback: (error: Error | null, result: pg.QueryResult) => void,
  ): Promise<void>
  query(
    query: string | pg.QueryConfig,
    values: unknown[],
    callback: (error: Error | null, result: pg.QueryResult) => void,
  ): Promise<void>
  query(...args: unknown[]): Promise<unknown> {
    const done = args.at(-1)
    if (typeof done !== 'function') return this.#inTurn(() => this.#send(args as Query))
    this.#inTurn(() => this.#send(args.slice(0, -1) as Query)).then(
      (result) => process.nextTick(done as () => void, null, result),
      (error: unknown) => process.nextTick(done as () => void, error),
    )
    return Promise.resolve()
  }

  /**
   * Runs `work` between BEGIN and COMMIT: the adapter's own `transaction`, on this client's pool. Use the client
   * that `work` is given: this one waits until it has ended, but no longer than `acquireTimeoutMs`.
   */
  async transaction<T>(
    work: (client: GovernedPoolClient) => Promise<T>,
    options?: TransactionOptions,
  ): Promise<T> {
    const pool = await this.#inTurn(() => Promise.resolve(this.#pool()))
    return transaction(pool, work, options)
  }

  /**
   * Ends idle sessions of this `application_name` where the server's used slots are over `connUtilization`: as
   * many as are over it, the longest idle first. Resolves to a row for each, or to undefined where there was
   * nothing to do. Decides by the last count, and counts anew when nobody waits for it. Does nothing inside a
   * transaction, and with `lease: 'off'` finds nothing to end. Never rejects.
   */
  clean(): Promise<object[] | undefined> {
    return this.#inTurn(async () => {
      const pool = this.#pool()
      if (this.#transaction.isOpen) return undefined
      const settings = this.#sessions.wanted.clean
      if (this.#pluginCleaner !== undefined) return this.#cleanByPlugin(pool, this.#pluginCleaner)
      // What was counted is of that pool's server.
      if (this.#cleaned?.pool !== pool) this.#cleaned = { pool, cleaner: new Cleaner() }
      return this.#cleaned.cleaner.clean(pool, settings)
    })
  }

  /** Closes the session once its statement has ended; a transaction is rolled back. The client may be used again. */
  end(): Promise<void> {
    this.#sessions.stopConnecting()
    return this.#inTurn(async () => {
      this.#transaction.destroy()
      await this.#sessions.retire()
    })
  }

  /** Hears the driver's client, and every one that takes its place. May be called before `connect`. */
  on(event: string, listener: Listener): void {
    this.#sessions.listen(event, listener)
  }

  /**
   * Merges `config` into what was given before. A password serves the next login and leaves the session alone;
   * another server, user, database or driver option moves the next statement outside a transaction to a new
   * session.
   *
   * @throws LeaseholdError `INVALID_OPTIONS`; then nothing has changed
   */
  setConfig(config: ServerlessConfig): void {
    this.#sessions.configure(config)
  }

  /** What an operator asks of the pool underneath. A change of server brings another one. */
  get leasehold(): PoolGovernance {
    const { leasehold } = this.#pool()
    return {
      ...leasehold,
      enter: (context) => {
        leasehold.enter(context)
        const { awsRequestId } = context
        const isAnother = this.#entered !== awsRequestId && !runsSeveralInvocations(systemEnv)
        this.#entered = awsRequestId
        if (isAnother) this.#transaction.noticeReclaim()
      },
    }
  }

  /** The driver's client, for plugins, or null where none is open. It may be replaced between statements. */
  get _client(): (pg.Client & HeldClient) | null {
    return this.#transaction.client ?? this.#sessions.newest ?? null
  }

  /** For plugins. */
  get _strategy(): object {
    const { strategy, minIdleSec, mostToEnd, utilization } = this.#sessions.wanted.clean
    return {
      name: strategy,
      minConnIdleTimeSec: minIdleSec,
      maxIdleConnectionsToKill: mostToEnd ?? null,
      connUtilization: utilization,
    }
  }

  /** For plugins: what the session says its `application_name` is, label and all. */
  get _application_name(): string {
    const { applicationName } = this.#sessions.wanted.clean
    return this._client?.connectionParameters.application_name ?? applicationName
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work)
    this.#turn = result.then(ignore, ignore)
    return result
  }

  #pool(): GovernedPool {
    this.#transaction.noticeInvocation()
    return this.#sessions.pool(this.#transaction.isOpen)
  }

  async #send([query, values]: Query): Promise<unknown> {
    const pool = this.#pool()
    const open = this.#transaction
    const text = textOf(query)
    if (open.client !== undefined) {
      return open.run(text, (client) => client.query(query as string, values as unknown[]))
    }
    if (open.isOpen) return open.answer(text)
    if (isSubmittable(query)) return stream(await pool.connect(), query as pg.Submittable)
    try {
      return await pool.query((isBegin(text) ? replayable(query) : query) as string, values as unknown[])
    } finally {
      const { newest } = this.#sessions
      if (newest?.governed?.hands.inTransaction() === true) await this.#hold(pool, newest)
    }
  }

  /** The session that the pool was given back is inside a transaction: it is taken out until that ends. */
  async #hold(pool: GovernedPool, client: HeldClient): Promise<void> {
    try {
      const taken = (await pool.connect()) as unknown as HeldClient
      if (taken === client) {
        this.#transaction.hold(taken)
        return
      }
      taken.release()
      this.#transaction.lose(new Error('Connection terminated'))
    } catch (error) {
      this.#transaction.lose(error)
    }
  }

  async #cleanByPlugin(pool: GovernedPool, cleaner: PluginCleaner): Promise<object[] | undefined> {
    try {
      const client = await pool.connect()
      try {
        return await cleaner.clean(this, this.#sessions.wanted.clean)
      } finally {
        client.release()
      }
    } catch {
      return undefined
    }
  }
}

/** A statement that only begins a transaction does no harm twice. */
function replayable(query: unknown): object {
  const config = typeof query === 'string' ? { text: query } : (query as object)
  return { idempotent: true, ...config }
}

function ignore(): void {}
