/** The types of a governed pool: the driver's, which take our options of a statement as well. */

import type { PoolGovernance, StatementOptions } from '@leasehold/core'
import type pg from 'pg'

/** The driver's ways to ask, with {@link StatementOptions} in the config object. */
export interface GovernedQuery {
  <R extends unknown[] = unknown[], I = unknown[]>(
    config: pg.QueryArrayConfig<I> & StatementOptions,
    values?: pg.QueryConfigValues<I>,
  ): Promise<pg.QueryArrayResult<R>>
  // oxlint-disable-next-line typescript/no-explicit-any -- as the driver has it
  <R extends pg.QueryResultRow = any, I = unknown[]>(
    config: pg.QueryConfig<I> & StatementOptions,
    values?: pg.QueryConfigValues<I>,
  ): Promise<pg.QueryResult<R>>
  // oxlint-disable-next-line typescript/no-explicit-any -- as the driver has it
  <R extends pg.QueryResultRow = any, I = unknown[]>(
    config: pg.QueryConfig<I> & StatementOptions,
    callback: (error: Error, result: pg.QueryResult<R>) => void,
  ): void
}

/** A genuine client of the pool. Nothing on it is ever sent again: `idempotent` is for `pool.query`. */
export type GovernedPoolClient = pg.PoolClient & { readonly query: GovernedQuery }

export type GovernedPool = {
  readonly leasehold: PoolGovernance
  connect(): Promise<GovernedPoolClient>
} & pg.Pool & { readonly query: GovernedQuery }
