/** @leasehold/pg-adapter: a `pg.Pool` on server-enforced leases. */

import pg from 'pg'

import { checkDriver } from './driver.ts'
import { governedPoolClass, type GovernedPoolClass } from './governed-pool.ts'
import type { PoolOptions } from './options.ts'
import type { GovernedPool } from './pool-types.ts'

export {
  type ErrorKind,
  failureDetails,
  type FailureDetails,
  type FleetView,
  type InvocationContext,
  type Isolation,
  LeaseholdError,
  type LeaseholdErrorCode,
  type LeaseholdOptions,
  type Logger,
  type PoolGovernance,
  type StatementOptions,
  type Stats,
  type TransactionOptions,
} from '@leasehold/core'
export { postgresDialect } from './dialect.ts'
export type { PgModule } from './driver.ts'
export { govern, type GovernedModule } from './govern.ts'
export type { GovernedClient, GovernedClientClass } from './governed-client.ts'
export type { GovernedPoolClass } from './governed-pool.ts'
export type { PoolOptions } from './options.ts'
export type { GovernedPool, GovernedPoolClient, GovernedQuery } from './pool-types.ts'
export { transaction } from './transaction.ts'

let poolClass: GovernedPoolClass | undefined

/**
 * Makes a governed pool: a genuine `pg.Pool`, for use outside the handler. Driver options and ours
 * stand in one object. Opens nothing until a connection is wanted.
 *
 * In Lambda `max` defaults to 1 (an environment serves one request at a time) and elsewhere to the
 * driver's 10. `connectionTimeoutMillis`, where given, is taken for `acquireTimeoutMs`.
 *
 * @throws LeaseholdError `INVALID_OPTIONS` with every problem, one a line; `UNSUPPORTED_DRIVER`
 */
export function createPool(options: PoolOptions = {}): GovernedPool {
  if (poolClass === undefined) {
    checkDriver(pg)
    poolClass = governedPoolClass(pg)
  }
  return new poolClass(options)
}
