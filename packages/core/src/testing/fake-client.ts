import type { GovernedConnection } from '../connection.ts'
import type { Governor } from '../governor.ts'
import type { FakeSession } from './fake-session.ts'

/** One open connection of a fake pool. */
export interface PooledSession {
  readonly session: FakeSession
  readonly governed: GovernedConnection
}

/** How one statement may be stopped. */
export interface FakeQueryOptions {
  /** Milliseconds; 0 is no limit. @defaultValue the pool's `queryTimeoutMs` */
  readonly queryTimeoutMs?: number | undefined
  /** Aborting cancels the statement. */
  readonly signal?: AbortSignal | undefined
}

/** What the application gets from `FakePool.connect`, and gives back with `release`. */
export class FakeClient {
  readonly #governor: Governor
  readonly #pooled: PooledSession
  readonly #failed: (error: unknown) => void
  readonly #giveBack: (destroy: boolean) => void
  #released = false

  constructor(
    governor: Governor,
    pooled: PooledSession,
    failed: (error: unknown) => void,
    giveBack: (destroy: boolean) => void,
  ) {
    this.#governor = governor
    this.#pooled = pooled
    this.#failed = failed
    this.#giveBack = giveBack
  }

  /** The connection itself: the same object at every checkout of the same connection. */
  get session(): FakeSession {
    return this.#pooled.session
  }

  /** What the governor knows of it. */
  get governed(): GovernedConnection {
    return this.#pooled.governed
  }

  /**
   * Rejects with the server's own error, or with `FAKE_RESET` where the connection is gone; with
   * `QUERY_TIMEOUT` at the statement's limit.
   */
  async query(statement: string, options: FakeQueryOptions = {}): Promise<{ rows: readonly unknown[] }> {
    if (this.#released) throw new Error('the client has been released already')
    const { statements } = this.#governor
    const { queryTimeoutMs: timeoutMs, signal } = options
    const limits = this.#governor.limitsOf({ timeoutMs, signal })
    const run = (): Promise<readonly unknown[]> => this.session.run(statement)
    try {
      if (limits === undefined) return { rows: await run() }
      const cancel = (until: AbortSignal): Promise<void> => this.session.cancel(until)
      const cut = (): void => this.session.close()
      return { rows: await statements.limited(limits, { run, cancel, cut }) }
    } catch (error) {
      statements.explainLoss(error, this)
      this.#failed(error)
      throw error
    }
  }

  /**
   * Gives the connection back. A second call throws, as the drivers' pools do.
   *
   * @param destroy closes it instead
   */
  release(destroy = false): void {
    if (this.#released) throw new Error('the client has been released already')
    this.#released = true
    this.#giveBack(destroy)
  }
}
