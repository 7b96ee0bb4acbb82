/** MySQL 8.0 to 9.x and MariaDB 10.6 and later as the core sees them: SQL text and its one row. */

import type { Dialect, LeaseStep, RecallAsk, RecallPlan, TransactionMode } from '@leasehold/core'

import {
  censusStatement,
  MARIADB_PLACES,
  MYSQL_PLACES,
  mysqlPlaces,
  newCensusSight,
  openingLease,
  parseCensusRow,
  type CensusPlaces,
} from './census.ts'
import { classify, provesUnread } from './classify.ts'
import { newSight, recallOnMariadb, recallOnMysql } from './recall.ts'

/** The core's dialect, and the first statement of a new session. */
export interface MysqlDialect extends Dialect {
  /** Unconditional: `wait_timeout` is the session's own, and no pooler is known to share it. */
  setLease(leaseMs: number): string
  /**
   * Census and lease in one statement: the session gets the lease that the server's own count calls
   * for. Returns no rows, so the client learns the lease at its first census.
   */
  openWithCensus(ladder: readonly LeaseStep[]): string
  /**
   * The same statement, with a limit for how long a transaction may sit idle; undefined where the server
   * has none.
   */
  limitingTransactions(statement: string, transactionIdleMs: number): string | undefined
}

const GRANULARITY_MS = 1_000
/** What the options call it where nothing else is said. */
const DEFAULT_FLEET = 'leasehold'

function seconds(leaseMs: number): number {
  return Math.max(1, Math.ceil(leaseMs / GRANULARITY_MS))
}

/** The level is that of the next transaction alone. */
function begin({ isolation, readOnly }: TransactionMode): readonly string[] {
  const start = readOnly === true ? 'start transaction read only' : 'start transaction'
  return isolation === undefined ? [start] : [`set transaction isolation level ${isolation}`, start]
}

function mysqlLike(engine: 'mysql' | 'mariadb', places: CensusPlaces): MysqlDialect {
  // Aurora MySQL ends idle sessions at the smaller of the two timeouts, so the other one must not be shorter.
  const alsoInteractive = (leaseMs: number): string => `session interactive_timeout = ${seconds(leaseMs)}`
  return {
    engine,
    leaseGranularityMs: GRANULARITY_MS,
    classify,
    // A server that refuses the first statement is met where that statement is run.
    refusesLease: () => false,
    provesUnread,
    begin,
    setLease: (leaseMs) => `set session wait_timeout = ${seconds(leaseMs)}, ${alsoInteractive(leaseMs)}`,
    limitingTransactions: (statement, transactionIdleMs) =>
      engine === 'mariadb' && transactionIdleMs > 0
        ? `${statement}, session idle_transaction_timeout = ${seconds(transactionIdleMs)}`
        : undefined,
    openWithCensus: (ladder) =>
      `set session wait_timeout = ${openingLease(places, ladder, seconds)}, ` +
      alsoInteractive(ladder[0]?.leaseMs ?? GRANULARITY_MS),
    censusAndLease: () => censusStatement(places, newCensusSight(), DEFAULT_FLEET),
    parseCensus: (rows) => parseCensusRow(rows, newCensusSight()),
  }
}

export const mysqlDialect: MysqlDialect = mysqlLike('mysql', MYSQL_PLACES)
export const mariadbDialect: MysqlDialect = mysqlLike('mariadb', MARIADB_PLACES)

/** The dialect of a pool, whose server is known only after its first handshake. */
export class PoolDialect implements MysqlDialect {
  #current: MysqlDialect = mysqlDialect
  #places = MYSQL_PLACES
  readonly #censusSight = newCensusSight()
  readonly #sight = newSight()
  readonly #fleet: string

  constructor(fleet: string) {
    this.#fleet = fleet
  }

  /** @param serverVersion as the server's handshake gives it: `8.4.2`, `5.5.5-10.11.6-MariaDB` */
  meet(serverVersion: string): void {
    const isMariadb = /mariadb/i.test(serverVersion)
    this.#current = isMariadb ? mariadbDialect : mysqlDialect
    this.#places = isMariadb ? MARIADB_PLACES : mysqlPlaces(serverVersion)
  }

  get engine(): Dialect['engine'] {
    return this.#current.engine
  }

  readonly leaseGranularityMs: number = GRANULARITY_MS
  readonly classify: Dialect['classify'] = classify
  readonly provesUnread: Dialect['provesUnread'] = provesUnread
  readonly begin: Dialect['begin'] = begin

  refusesLease(error: unknown): boolean {
    return this.#current.refusesLease(error)
  }

  setLease(leaseMs: number): string {
    return this.#current.setLease(leaseMs)
  }

  openWithCensus(ladder: readonly LeaseStep[]): string {
    return this.#current.openWithCensus(ladder)
  }

  limitingTransactions(statement: string, transactionIdleMs: number): string | undefined {
    return this.#current.limitingTransactions(statement, transactionIdleMs)
  }

  censusAndLease(): string {
    return censusStatement(this.#places, this.#censusSight, this.#fleet)
  }

  parseCensus(rows: readonly unknown[]): ReturnType<Dialect['parseCensus']> {
    return parseCensusRow(rows, this.#censusSight)
  }

  recall(asked: RecallAsk): RecallPlan {
    return this.engine === 'mariadb' ? recallOnMariadb(asked, this.#sight) : recallOnMysql(asked, this.#sight)
  }
}
