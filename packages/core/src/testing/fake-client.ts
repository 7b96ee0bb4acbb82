import type { GovernedConnection } from '../connection.ts'
import type { FakeSession } from './fake-session.ts'

/** One open connection of a fake pool. */
export interface PooledSession {
  readonly session: FakeSession
  readonly governed: GovernedConnection
}

/** What the application gets from `FakePool.connect`, and gives back with `release`. */
export class FakeClient {
  readonly #pooled: PooledSession
  readonly #failed: (error: unknown) => void
  readonly #giveBack: (destroy: boolean) => void
  #released = false

  constructor(pooled: PooledSession, failed: (error: unknown) => void, giveBack: (destroy: boolean) => void) {
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

  /** Rejects with the server's own error, or with `FAKE_RESET` where the connection is gone. */
  async query(statement: string): Promise<{ rows: readonly unknown[] }> {
    if (this.#released) throw new Error('the client has been released already')
    try {
      return { rows: await this.session.run(statement) }
    } catch (error) {
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
