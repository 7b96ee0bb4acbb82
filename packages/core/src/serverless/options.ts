/** The options of a serverless client as applications write them: one connection, a backoff, and callbacks. */

import type { Backoff } from './pacing.ts'

/** Called as things happen; what a callback throws is reported and changes nothing. */
export interface ServerlessCallbacks<Client> {
  /** A session is open and ready. */
  readonly onConnect?: ((client: Client) => void) | undefined
  /** Connecting was given up. The driver's own error, which the caller gets too. */
  readonly onConnectError?: ((error: Error) => void) | undefined
  /** A connect failed and is tried again after `delayMs`. */
  readonly onRetry?:
    | ((error: Error, retries: number, delayMs: number, backoff: BackoffName) => void)
    | undefined
  /** `quit()` closed the connection. */
  readonly onClose?: (() => void) | undefined
  /** An open connection failed, or a `rollback` function threw. Not called for a lease that ran out. */
  readonly onError?: ((error: Error) => void) | undefined
  /** Never called: the server ends idle sessions by their leases, and recalls are counted in the pool's `reaped`. */
  readonly onKill?: ((session: { readonly ID: number; readonly time: number }) => void) | undefined
  /** Never called, as `onKill`. */
  readonly onKillError?: ((error: Error) => void) | undefined
  /** A statement, or a whole transaction, failed for a passing reason and is run again after `delayMs`. */
  readonly onQueryRetry?:
    | ((error: Error, retries: number, delayMs: number, backoff: BackoffName) => void)
    | undefined
}

export type BackoffName = 'full' | 'decorrelated' | 'custom'

export interface ServerlessOptions<Library, Config, Client> extends ServerlessCallbacks<Client> {
  /**
   * The driver module, for instance one captured for tracing.
   * @defaultValue the driver beside this package
   */
  readonly library?: Library | undefined
  /** Taken, and without effect: every method returns a native promise. */
  readonly promise?: PromiseConstructor | ((...args: never[]) => unknown) | undefined
  /**
   * Where to connect: the driver's connection options and Leasehold's in one object, or a connection string.
   * @defaultValue {}
   */
  readonly config?: Config | string | undefined
  /**
   * False turns governance off: no lease, no census, no hand-over, and `end()` does nothing. Dead connections
   * are still replaced and refused connects still tried again.
   * @defaultValue true
   */
  readonly manageConns?: boolean | undefined
  /**
   * Used slots / slots above which slots are given back: the pool's `targetPressure`. 0.1 to 1; less and
   * more are taken for these.
   * @defaultValue 0.8
   */
  readonly connUtilization?: number | undefined
  /**
   * How the waits between refused connects grow: `full` draws from 0 to `min(cap, base * 2 ** retries)`,
   * `decorrelated` from `base` to three times the wait before, at most `cap`; or a function of the wait
   * before and the number of retries, in milliseconds.
   * @defaultValue where neither `backoff` nor `base` nor `cap` is given, Leasehold's own waits, which follow
   * how long others wait
   */
  readonly backoff?: Backoff | undefined
  /** Milliseconds, a whole number from 0. @defaultValue 2 */
  readonly base?: number | undefined
  /** The longest wait between two connects. Milliseconds, a whole number from 0. @defaultValue 100 */
  readonly cap?: number | undefined
  /**
   * How often one request tries to connect again, at most; its deadlines hold besides. A whole number from
   * 0; 0 tries once.
   * @defaultValue 50
   */
  readonly maxRetries?: number | undefined
  /** Taken, and without effect: every count brings the server's limit with it. Milliseconds. */
  readonly maxConnsFreq?: number | undefined
  /**
   * How often the used slots are counted, after a response: the pool's `censusEveryMs`. Milliseconds; below
   * 100 is taken for 100.
   * @defaultValue 2000
   */
  readonly usedConnsFreq?: number | undefined
  /**
   * The shortest lease: how long the server lets a session sit idle when it is nearly full. Seconds, a whole
   * number; 1 to 900, less and more are taken for these.
   * @defaultValue the pool's `minLeaseMs`, or 2 where `zombieMaxTimeout` is given
   */
  readonly zombieMinTimeout?: number | undefined
  /** The longest lease, while slots are plenty. Seconds, as `zombieMinTimeout`. @defaultValue 300 */
  readonly zombieMaxTimeout?: number | undefined
  /** Adds the statement's final text as `sql` to results (hidden on arrays) and errors. @defaultValue false */
  readonly returnFinalSqlQuery?: boolean | undefined
  /**
   * How often a statement that the server refused for a passing reason (deadlock, lock timeout) is run again;
   * inside a transaction the whole transaction is. A whole number from 0. A lost connection is another
   * matter: see `replayLost`.
   * @defaultValue 0
   */
  readonly maxQueryRetries?: number | undefined
  /** How the waits before these grow, as `backoff`. @defaultValue 'full' */
  readonly queryRetryBackoff?: Backoff | undefined
  /**
   * What becomes of a statement whose connection was lost. `unread`: it is sent again only where the server
   * proved that it did not read it, or where the statement itself says `idempotent: true`. `always`: it is
   * sent again whatever it is, so that an insert may happen twice. Never inside a transaction.
   * @defaultValue 'unread'
   */
  readonly replayLost?: 'unread' | 'always' | undefined
}

/** As `query` takes it, in one object: the driver's own options, and these. */
export interface Statement {
  readonly sql: string
  readonly values?: unknown
  /** Cancels the statement on the server. Milliseconds. @defaultValue no limit */
  readonly timeout?: number | undefined
  /** It may run twice: sent again where its connection was lost. @defaultValue false */
  readonly idempotent?: boolean | undefined
  readonly [option: string]: unknown
}
