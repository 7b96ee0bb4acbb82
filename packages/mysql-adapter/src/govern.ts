/** The same driver module with governed factories in it, for libraries that take a module. */

import type mysql2 from 'mysql2'

import { checkDriver, type MysqlModule } from './driver.ts'
import { createGovernedPool, type GovernedPool } from './governed-pool.ts'
import type { ConnectionOptions, PoolOptions } from './options.ts'
import { createGovernedConnection } from './standalone.ts'

/** The driver's own exports, with `createPool` and `createConnection` governed. */
export type GovernedModule<T extends MysqlModule> = Omit<T, 'createPool' | 'createConnection'> & {
  readonly createPool: (options: PoolOptions | string) => GovernedPool
  readonly createConnection: (options: ConnectionOptions | string) => mysql2.Connection
}

/**
 * Governs a driver instance that the application passes in. Leaves `driver` itself as it is, and
 * opens nothing.
 *
 * A connection of the governed `createConnection` carries a lease that is renewed for as long as it
 * is open, and no error of it goes uncaught. It connects once, as the driver's does: only a pool
 * tries again when the server refuses.
 *
 * @throws LeaseholdError `UNSUPPORTED_DRIVER`
 */
export function govern<T extends MysqlModule>(driver: T): GovernedModule<T> {
  checkDriver(driver)
  const createConnection = (options: ConnectionOptions | string): mysql2.Connection =>
    createGovernedConnection(driver, options)
  return {
    ...driver,
    // The driver's other name for it.
    ...('connect' in driver ? { connect: createConnection } : {}),
    createPool: (options: PoolOptions | string) => createGovernedPool(driver, options),
    createConnection,
  }
}
