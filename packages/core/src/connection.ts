/** What the governor keeps of each open connection, and what it needs an adapter to do with it. */

import type { Invocation } from './invocation.ts'
import type { Lease } from './lease.ts'
import type { EnvironmentPlace } from './share.ts'

/** The adapter's hands on one connection. Promises reject with the driver's errors. */
export interface Hands {
  /** Runs one statement of ours and resolves with its rows. */
  run(statement: string): Promise<readonly unknown[]>
  /** One cheap round trip. */
  ping(): Promise<void>
  /** Nothing is running or queued on the connection, and its lease is running. */
  quiet(): boolean
  /** In the pool, not checked out, and not left in a transaction as far as the driver knows. */
  idle(): boolean
  /** Takes the connection out of the pool and closes it politely, waiting for nothing. */
  yield(): void
  /** Takes it out of the pool and cuts it. */
  drop(): void
  /**
   * The process is about to end: stops what runs and closes politely, in whatever state it is. Resolves once the
   * server has the goodbye; may reject.
   */
  leave(): Promise<void>
  /** Inside a transaction, as far as the server's last answer tells. */
  inTransaction(): boolean
  /** False for a connection that the application made for itself: it is never taken from it. */
  readonly pooled: boolean
}

export interface GovernedConnection {
  /** From 1 in each pool: what events call it. */
  readonly number: number
  readonly lease: Lease
  readonly hands: Hands
  /** Held at least this long under contention. */
  readonly quantumMs: number
  /** It had to wait for its slot, refused or out of courtesy: others may be waiting still. */
  readonly queued: boolean
  /** It was refused at least once: the server was full then. */
  readonly refused: boolean
  /** Its wait was much longer than others': something has changed meanwhile. */
  readonly late: boolean
  /** The server confirmed the lease, or made clear that it holds none. */
  confirmed: boolean
  /** A census has seen the server hold its lease. */
  proven: boolean
  /** The application has it. */
  checkedOut: boolean
  /** That took it last. */
  invocation: Invocation
  /** Where it was taken, if checkouts are traced. */
  takenAt: string | undefined
  /** Not to be used again: the reason is in the stats. */
  spoilt: boolean
  /** A census or ping that is under way; resolves to whether the connection is alive. */
  checking: Promise<boolean> | undefined
  /** Housekeeping has been asked for and has not run yet. */
  scheduled: boolean
  /** What it was given by the keeper of the environment's places, where there is one. */
  place: EnvironmentPlace | undefined
}

/** What an adapter's connect must bring back. */
export interface Opened<T> {
  readonly connection: T
  readonly hands: Hands
  /** The lease that the server was asked to hold, or undefined when it would not. */
  readonly leaseMs: number | undefined
  /** False when the server may have chosen a longer lease than `leaseMs` by itself. */
  readonly exact: boolean
}
