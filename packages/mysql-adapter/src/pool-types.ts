/** The types of a governed pool: the driver's, which take our options of a statement as well. */

import type { PoolGovernance, StatementOptions } from '@leasehold/core'
import type mysql2 from 'mysql2'

type PromisePool = ReturnType<mysql2.Pool['promise']>
type PromisePoolConnection = Awaited<ReturnType<PromisePool['getConnection']>>
type Options = mysql2.QueryOptions & StatementOptions
type Values = mysql2.QueryValues
type Callback<T> = (error: mysql2.QueryError | null, result: T, fields: mysql2.FieldPacket[]) => unknown

/** The driver's ways to ask by options object, with {@link StatementOptions} in it. */
export interface GovernedQuery {
  <T extends mysql2.QueryResult>(options: Options, callback?: Callback<T>): mysql2.Query
  <T extends mysql2.QueryResult>(options: Options, values: Values, callback?: Callback<T>): mysql2.Query
}

/** The same of a promise face. */
export type GovernedPromiseQuery = <T extends mysql2.QueryResult>(
  sql: string | Options,
  values?: Values,
) => Promise<[T, mysql2.FieldPacket[]]>

interface GovernedPromiseQueries {
  readonly query: GovernedPromiseQuery
  readonly execute: GovernedPromiseQuery
}

/** A genuine connection. Nothing on it is ever sent again: `idempotent` is for the pool. */
export type GovernedPromiseConnection = GovernedPromiseQueries & PromisePoolConnection

export type GovernedPromisePool = GovernedPromiseQueries & {
  getConnection(): Promise<GovernedPromiseConnection>
} & PromisePool

export type GovernedPool = {
  readonly leasehold: PoolGovernance
  readonly query: GovernedQuery
  readonly execute: GovernedQuery
  promise(promiseImpl?: PromiseConstructor): GovernedPromisePool
} & mysql2.Pool
