/** The options as users write them, and as the core reads them. */

import type { CredentialSource } from '../credentials.ts'
import type { Hooks } from '../events.ts'
import type { Logger } from '../log.ts'
import type { Meter } from '../meter.ts'
import type { MetricsSink } from '../metrics.ts'
import type { PolicyLimits } from '../policy.ts'

/** Options of ours; each may be left out. Drivers' own options stand beside them in one object. */
export interface LeaseholdOptions {
  /**
   * Sessions with the same fleet, login and server are governed together, whatever the function.
   * Letters, digits, `_`, `.` and `-`; at most 20.
   * @defaultValue 'leasehold'
   */
  readonly fleet?: string | undefined
  /**
   * The lease while slots are plenty: how long the server lets a session sit idle before it ends
   * it. Milliseconds, 1 000 to 900 000. Keep it below the 350 s after which NAT gateways and load
   * balancers forget a flow. Whole seconds on MySQL and MariaDB (rounded up).
   * @defaultValue 300000
   */
  readonly maxLeaseMs?: number | undefined
  /**
   * The lease when the server is nearly full, or somebody waits. A new session starts on 2 000, or on this where
   * it had to wait for its slot.
   * Milliseconds, 250 to 900 000, at most `maxLeaseMs`; whole seconds on MySQL and MariaDB (rounded up). A
   * connection that the application holds is kept alive whatever its lease, as long as the process gets to
   * run: code that keeps the event loop busy for longer, with a connection in hand, wants a longer one.
   * @defaultValue 500
   */
  readonly minLeaseMs?: number | undefined
  /**
   * Used slots / slots above which the fleet starts to give slots back. 0.1 to 1.
   * @defaultValue 0.8
   */
  readonly targetPressure?: number | undefined
  /**
   * Under pressure, ends the fleet's longest-idle sessions before their leases run out: sessions that pools
   * of the same login and `fleet` left idle outside a transaction, at most 8 at a time. Their environments
   * connect again when they need to. Never another's session. `false`: this pool ends none; its own may still
   * be ended by others.
   * @defaultValue true
   */
  readonly reap?: boolean | undefined
  /**
   * A connection idle for longer than this is pinged before it is handed out. Milliseconds, 0 to
   * 900 000; 0 pings at every checkout. Closes nothing by itself: a failed ping replaces the
   * connection within the same checkout and its time budget.
   * @defaultValue 1000
   */
  readonly pingAfterIdleMs?: number | undefined
  /**
   * While slots are plenty, an environment in use counts them this often, jittered, after a response; sooner when it has
   * just started, or somebody had to wait lately. Milliseconds, 100 to 600 000. Under contention the policy decides when to count.
   * @defaultValue 2000
   */
  readonly censusEveryMs?: number | undefined
  /**
   * The limit of one attempt to connect, authentication included, and of one ping (which never gets
   * more than 1 000). Milliseconds, 1 to 300 000. Further attempts follow within `acquireTimeoutMs` or `resumeBudgetMs`.
   * @defaultValue 5000
   */
  readonly connectTimeoutMs?: number | undefined
  /**
   * How long a request may wait for a connection: refused attempts, and the wait for another
   * request of this pool to give one back. Milliseconds, 1 to 900 000. When it passes, the driver's
   * last error surfaces with details in `error.leasehold`, or `ACQUIRE_TIMEOUT` where no attempt was
   * made. Does not limit how long a statement runs.
   * @defaultValue 10000
   */
  readonly acquireTimeoutMs?: number | undefined
  /**
   * On Managed Instances, where a pool is given no size: how many connections of it one environment may have, over
   * all of its worker threads. Each thread gets an even share, rounded down, and one at least. 0 to 10 000; 0 is a
   * quarter of the environment's concurrency, and one a thread at least. No meaning elsewhere, and where the pool
   * is given its size, which is then each thread's.
   * @defaultValue 0
   */
  readonly environmentConnections?: number | undefined
  /**
   * How long to keep trying while the server is starting, resuming from a pause or unreachable,
   * counted from the first attempt. Milliseconds, 0 to 900 000; 0 gives up at the first such error.
   * @defaultValue 30000
   */
  readonly resumeBudgetMs?: number | undefined
  /**
   * A statement that takes longer is cancelled on the server, and rejects with `QUERY_TIMEOUT` (the
   * server's error in `cause`). Milliseconds, 0 to 900 000; 0 is no limit but the end of the invocation,
   * where `pool.leasehold.enter(context)` made that known. A statement may have one of its own.
   * @defaultValue 0
   */
  readonly queryTimeoutMs?: number | undefined
  /**
   * How long the server lets an open transaction sit idle before it ends the session and rolls back, so that
   * a frozen environment holds no locks. Milliseconds, 0 to 900 000 (whole seconds on MariaDB, rounded up); 0
   * leaves it to the server's own setting. MySQL has no such limit; there the lease ends the session. Asked
   * for together with the lease, so only with `lease: 'server'`, and not where a pooler or proxy refuses that:
   * a setting of such a session would be another client's at the next statement.
   * @defaultValue 60000
   */
  readonly transactionIdleMs?: number | undefined
  /**
   * What becomes of a pool's connection that is still checked out when the next invocation begins.
   * `reclaim`: it is closed, which rolls back, and reported. `keep`: it stays. A connection that was taken
   * before the first invocation, while modules loaded, always stays. Needs Lambda's mark of the invocation,
   * or `pool.leasehold.enter(context)`; elsewhere nothing is reclaimed. On Managed Instances: when its own
   * invocation is out of time.
   * @defaultValue 'reclaim'
   */
  readonly heldAcrossInvocations?: 'reclaim' | 'keep' | undefined
  /**
   * Awaited on every new session before its first use, within `connectTimeoutMs`; where it rejects, the
   * session is closed and the request gets its error. Given the driver's connection (of mysql2: its promise
   * face). A session that is replaced starts as the server makes it, so what the application sets with
   * `SET`, `USE` and the like belongs here; nothing else carries over.
   * @defaultValue none
   */
  // oxlint-disable-next-line typescript/no-explicit-any -- each driver's own connection type
  readonly onSession?: ((connection: any) => unknown) | undefined
  /**
   * Keeps the stack of every checkout, so that the report of a connection left over says where it was
   * taken. For debugging: it costs microseconds a checkout.
   * @defaultValue false
   */
  readonly traceCheckouts?: boolean | undefined
  /** Waits between refused attempts, before jitter, where the fleet's own waiting time is not known. */
  readonly backoff?:
    | {
        /**
         * The first wait. Milliseconds, 1 to 60 000, at most `capMs`.
         * @defaultValue 50
         */
        readonly baseMs?: number | undefined
        /**
         * The longest wait. Milliseconds, 1 to 60 000. A refused attempt that itself took long is followed
         * by a longer one, so that a struggling server is left alone.
         * @defaultValue 300
         */
        readonly capMs?: number | undefined
      }
    | undefined
  /**
   * Who ends idle sessions. `server`: the server does, and falls back to `client` by itself where it
   * can't. `client`: only this side drops them, and pings before use. `off`: no lease, no census,
   * no hand-over; dead sockets are still replaced and refused connects still tried again.
   * @defaultValue 'server'
   */
  readonly lease?: 'server' | 'client' | 'off' | undefined
  /**
   * Where the credential of every new connection comes from, in place of a `password`: `iamToken()` or
   * `secret(…)` of `@leasehold/core/aws`, or a source of your own. Asked again when the server refuses
   * what it gave.
   * @defaultValue the driver's own `user` and `password`
   */
  readonly credentials?: CredentialSource | undefined
  /**
   * Where measurements go: `cloudWatch({ namespace })` or `emf({ namespace })` of `@leasehold/core/aws`, or a sink
   * of your own; several pools may share one. `'off'` measures nothing. Sends after a response and at the end, never
   * before; no request waits for it, and none fails for it.
   * @defaultValue 'off'
   */
  readonly metrics?: MetricsSink | 'off' | undefined
  /**
   * An OpenTelemetry `Meter`, for the pool's own metrics by the semantic conventions: `db.client.connection.count`,
   * `max`, `pending_requests`, `timeouts`, `create_time`, `wait_time` and `use_time`. Exports nothing by itself. With
   * it each checkout records two times, which costs microseconds.
   * @defaultValue none
   */
  readonly meter?: Meter | undefined
  /**
   * Functions that hear of what happens: `onConnect`, `onRetry`, `onLapse` and so on, each with a frozen object. Called
   * at once and not awaited; what they throw is logged and goes no further. They change nothing.
   * @defaultValue none
   */
  readonly hooks?: Hooks | undefined
  /**
   * Where the few lines worth a person's time go: an object with console's `warn` and `error`; the second argument
   * says in members what the first says in words. At most a few lines a minute; never a password, token or statement.
   * @defaultValue console
   */
  readonly logger?: Logger | undefined
}

/** Every option with its value; frozen. */
export interface ResolvedOptions extends PolicyLimits {
  readonly fleet: string
  readonly reap: boolean
  readonly pingAfterIdleMs: number
  readonly censusEveryMs: number
  readonly connectTimeoutMs: number
  readonly acquireTimeoutMs: number
  readonly environmentConnections: number
  readonly resumeBudgetMs: number
  readonly lease: 'server' | 'client' | 'off'
  readonly logger: Logger
  readonly credentials: CredentialSource | undefined
  readonly queryTimeoutMs: number
  readonly transactionIdleMs: number
  readonly heldAcrossInvocations: 'reclaim' | 'keep'
  readonly onSession: ((connection: unknown) => unknown) | undefined
  readonly traceCheckouts: boolean
  readonly metrics: MetricsSink
  readonly meter: Meter | undefined
  readonly hooks: Hooks
}
