/** @leasehold/mysql-adapter: a mysql2 pool on server-enforced leases, for MySQL and MariaDB. */

import mysql2 from 'mysql2'

import { createGovernedPool } from './governed-pool.ts'
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
export { classify } from './classify.ts'
export { mariadbDialect, type MysqlDialect, mysqlDialect } from './dialect.ts'
export type { MysqlModule } from './driver.ts'
export { govern, type GovernedModule } from './govern.ts'
export type { PoolOptions } from './options.ts'
export type {
  GovernedPool,
  GovernedPromiseConnection,
  GovernedPromisePool,
  GovernedPromiseQuery,
  GovernedQuery,
} from './pool-types.ts'
export { transaction } from './transaction.ts'

/**
 * Makes a governed pool: a genuine mysql2 callback pool, for use outside the handler; `.promise()`
 * gives the promise pool as users know it. Driver options and ours stand in one object. Opens
 * nothing until a connection is wanted.
 *
 * In Lambda `connectionLimit` defaults to 1 (an environment serves one request at a time) and
 * elsewhere to the driver's 10; `maxPreparedStatements` to 1 000 (the driver's 16 000 cost every connect 0.75 ms and
 * half a megabyte). `connectTimeout`, where given, is taken for `connectTimeoutMs`.
 *
 * @throws LeaseholdError `INVALID_OPTIONS` with every problem, one a line; `UNSUPPORTED_DRIVER`
 */
export function createPool(options: PoolOptions | string): GovernedPool {
  return createGovernedPool(mysql2, options)
}
