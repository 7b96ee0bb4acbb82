/** What an engine fills in. Pure data and functions: SQL text, parsers, classification. No I/O. */

import type { Census } from './census.ts'
import type { ErrorKind } from './errors.ts'
import type { LeaseStep } from './policy.ts'
import type { RecallAsk, RecallPlan } from './recall-plan.ts'
import type { TransactionMode } from './transaction-options.ts'

export type Engine = 'postgresql' | 'mysql' | 'mariadb'

export interface Dialect {
  readonly engine: Engine
  /** The finest lease the server can hold, in milliseconds; leases are rounded up to it. */
  readonly leaseGranularityMs: number
  /** By SQLSTATE or errno; by message only where the code alone is ambiguous. */
  classify(error: unknown): ErrorKind
  /**
   * True for the error of a server or proxy that will not take a lease at start-up; the connect is
   * then tried again without one.
   */
  refusesLease(error: unknown): boolean
  /**
   * True where a lost connection's error itself proves that the statement it answers was not read: the
   * server ended the session for idling, or the driver never handed the statement to the socket.
   */
  provesUnread(error: unknown): boolean
  /** The statements that begin a transaction, in their order. */
  begin(mode: TransactionMode): readonly string[]
  /**
   * One statement that counts the slots and, where the session still carries `leaseMs`, sets the
   * lease that the counts call for by `ladder`.
   */
  censusAndLease(leaseMs: number, ladder: readonly LeaseStep[]): string
  /** Reads the one row of `censusAndLease`. Throws where it is not what the statement returns. */
  parseCensus(rows: readonly unknown[]): CensusAndLease
  /**
   * One statement that sets the lease of the session it runs on, where that session still carries
   * `heldMs`: behind a pooler it may be another's.
   */
  setLease(leaseMs: number, heldMs: number): string
  /**
   * Ends the longest-idle sessions of the fleet: of the same login, marked as such, idle outside a transaction for as
   * long as their marks ask, checked again in the statement that ends them or right before it. Undefined where
   * sessions can't be recalled.
   */
  readonly recall?: ((asked: RecallAsk) => RecallPlan) | undefined
}

export interface CensusAndLease {
  readonly census: Census
  /** The lease the server now holds for this session, or undefined when it holds none of ours. */
  readonly leaseMs: number | undefined
}
