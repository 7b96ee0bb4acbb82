/** A serverless client: makes its pool when the first statement comes, and forgets it when told to quit. */

import { type Clock, systemClock } from '../clock.ts'
import { consoleLogger, isLogger, LimitedLog, type Logger } from '../log.ts'
import type { FailedAttempt } from '../open.ts'
import { type Random, systemRandom } from '../random.ts'
import { isConnectFailure } from '../statements.ts'
import type { Surroundings } from '../surroundings.ts'
import type { ServerlessConfig, ServerlessEngine } from './engine.ts'
import { HandMade } from './hand-made.ts'
import { hideSecrets } from './hidden.ts'
import type { ServerlessCallbacks, Statement } from './options.ts'
import { nameOf, waitMs } from './pacing.ts'
import type { Settings } from './settings.ts'
import { addSql, beginsTransaction, statementOf } from './statement.ts'

interface Home<Pool> {
  readonly pool: Pool
  /** What runs on it; a pool that was quit is closed when all of it has ended. */
  running: number
  isQuit: boolean
}

export class ServerlessClient<Pool, Client> {
  readonly engine: ServerlessEngine<Pool, Client>
  /** Live: what is merged in holds for sessions that are opened from then on. */
  readonly config: Record<string, unknown> = {}
  counter = 0
  errorCount = 0
  readonly #settings: Settings
  readonly #clock: Clock
  readonly #random: Random
  readonly #surroundings: Surroundings
  readonly #prepare: (client: Client) => Promise<void>
  readonly #handMade: HandMade<Pool, Client>
  #home: Home<Pool> | undefined
  #pausedMs = 0
  #said: { readonly logger: Logger; readonly log: LimitedLog } | undefined

  /** @param prepare readies a new session, before the application's own `onSession` */
  constructor(
    engine: ServerlessEngine<Pool, Client>,
    settings: Settings,
    prepare: (client: Client) => Promise<void>,
    surroundings: Surroundings = {},
  ) {
    this.engine = engine
    this.#settings = settings
    this.#prepare = prepare
    this.#surroundings = surroundings
    this.#clock = surroundings.clock ?? systemClock
    this.#random = surroundings.random ?? systemRandom
    hideSecrets(this.config)
    this.#handMade = new HandMade(engine, surroundings.env, () => this.#log)
  }

  /** @throws LeaseholdError `INVALID_OPTIONS` */
  configure(given: unknown): Record<string, unknown> {
    if (given === undefined) return this.config
    const read = typeof given === 'string' ? this.engine.parse(given) : (given as ServerlessConfig)
    this.engine.check({ ...this.#settings.pool, ...this.config, ...read })
    Object.assign(this.config, read)
    if (this.#home !== undefined) this.engine.configure(this.#home.pool, { ...this.config })
    return this.config
  }

  get pool(): Pool {
    return this.#enter().pool
  }

  get client(): Client | null {
    return this.#home === undefined ? null : this.engine.clientIn(this.#home.pool)
  }

  /** Runs `work` on the pool, which is not closed before it has ended. */
  async use<T>(work: (pool: Pool) => Promise<T>): Promise<T> {
    const home = this.#enter()
    home.running += 1
    try {
      return await work(home.pool)
    } catch (error) {
      if (isConnectFailure(error)) this.tell('onConnectError', error as Error)
      throw error
    } finally {
      home.running -= 1
      this.#closeWhenQuit(home)
    }
  }

  /** A connection for `work` alone; destroyed where `work` fails. */
  withClient<T>(work: (client: Client) => Promise<T>): Promise<T> {
    return this.use(async (pool) => {
      const client = await this.engine.checkout(pool)
      try {
        const result = await work(client)
        this.engine.release(client)
        return result
      } catch (error) {
        this.engine.destroy(client)
        throw error
      }
    })
  }

  async connect(): Promise<void> {
    if (this.client === null) await this.withClient(async () => {})
  }

  async query(args: readonly unknown[]): Promise<unknown> {
    const given = statementOf(args)
    const byHand = this.#handMade
    if (byHand.isOpen()) return this.answer(given, () => byHand.query(given))
    if (beginsTransaction(given))
      return this.answer(given, () => this.use((pool) => byHand.begin(pool, given)))
    const statement = this.#settings.replaysAlways ? { idempotent: true, ...given } : given
    return this.runAgain(() =>
      this.answer(statement, () => this.use((pool) => this.engine.query(pool, statement))),
    )
  }

  /** Adds the final text to what comes of the statement, where that is asked for. */
  async answer(statement: Statement, run: () => Promise<unknown>): Promise<unknown> {
    if (!this.#settings.returnsSql) return run()
    try {
      const result = await run()
      addSql(result, this.engine.finalSql(statement))
      return result
    } catch (error) {
      addSql(error, this.engine.finalSql(statement))
      throw error
    }
  }

  /** Runs it again where the server refused it for a passing reason, as often as the application allows. */
  async runAgain<T>(run: () => Promise<T>): Promise<T> {
    const { maxQueryRetries, queryPacing } = this.#settings
    let pauseMs = 0
    for (let retries = 1; ; retries += 1) {
      try {
        return await run()
      } catch (error) {
        if (retries > maxQueryRetries || !this.engine.isPassing(error)) throw error
        pauseMs = waitMs(queryPacing, pauseMs, retries, this.#random)
        this.tell('onQueryRetry', error as Error, retries, pauseMs, nameOf(queryPacing.backoff))
        await this.#clock.sleep(pauseMs)
      }
    }
  }

  /** The end of an invocation. Sends nothing and waits for nothing: the pool keeps house by itself. */
  end(): void {
    if (!this.#settings.isManaged) return
    if (this.client !== null) this.counter += 1
    this.#handMade.drop('when the invocation ended')
  }

  quit(): void {
    const home = this.#home
    if (home === undefined) return
    this.#handMade.drop('at `quit()`')
    this.#home = undefined
    const wasOpen = this.engine.clientIn(home.pool) !== null
    home.isQuit = true
    this.counter = 0
    this.#closeWhenQuit(home)
    if (wasOpen) this.tell('onClose')
  }

  tell<Name extends keyof ServerlessCallbacks<unknown>>(
    name: Name,
    ...args: Parameters<NonNullable<ServerlessCallbacks<unknown>[Name]>>
  ): void {
    const callback = this.#settings.callbacks[name] as ((...given: unknown[]) => unknown) | undefined
    const report = (): void => this.#log.warn('callback', `\`${name}\` threw; going on without it`)
    try {
      Promise.resolve(callback?.(...args)).catch(report)
    } catch {
      report()
    }
  }

  /** Readies a session after its identity or state was reset: the application's `onSession`. */
  async prepareAgain(session: unknown): Promise<void> {
    await (this.config as ServerlessConfig).onSession?.(session)
  }

  #enter(): Home<Pool> {
    if (this.#home !== undefined) return this.#home
    const pool = this.engine.createPool(
      { ...this.#settings.pool, ...this.config, onSession: (session: unknown) => this.#onSession(session) },
      { ...this.#surroundings, pace: (failed) => this.#pace(failed) },
    )
    this.engine.onError(pool, (error) => {
      this.errorCount += 1
      this.counter = 0
      this.tell('onError', error)
    })
    this.#home = { pool, running: 0, isQuit: false }
    return this.#home
  }

  async #onSession(session: unknown): Promise<void> {
    const client = this.engine.clientOf(session)
    await this.#prepare(client)
    await this.prepareAgain(session)
    this.counter = 0
    this.tell('onConnect', client)
  }

  #closeWhenQuit(home: Home<Pool>): void {
    if (home.isQuit && home.running === 0) void this.engine.end(home.pool)
  }

  /** The wait before the next connect, within the pool's deadlines. */
  #pace({ error, attempts, delayMs }: FailedAttempt): number | undefined {
    this.errorCount += 1
    const { connectPacing, maxRetries } = this.#settings
    if (delayMs === undefined || attempts > maxRetries) return undefined
    if (attempts === 1) this.#pausedMs = 0
    this.#pausedMs =
      connectPacing === undefined
        ? Math.round(delayMs)
        : waitMs(connectPacing, this.#pausedMs, attempts, this.#random)
    this.tell('onRetry', error as Error, attempts, this.#pausedMs, nameOf(connectPacing?.backoff ?? 'full'))
    return this.#pausedMs
  }

  get #log(): LimitedLog {
    const { logger: given } = this.config
    const logger = isLogger(given) ? given : consoleLogger
    if (this.#said?.logger !== logger) this.#said = { logger, log: new LimitedLog(logger, this.#clock) }
    return this.#said.log
  }
}
