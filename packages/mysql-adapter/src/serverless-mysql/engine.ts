/** A serverless client's one connection on mysql2: a governed pool of one. */

import { LeaseholdError } from '@leasehold/core'
import type { ServerlessEngine, Statement } from '@leasehold/core/serverless'
import type mysql2 from 'mysql2'

import type { DriverConnection, DriverPool, MysqlModule } from '../driver.ts'
import { governedOf, isClosed } from '../governed-connection.ts'
import { createGovernedPool, type GovernedPool } from '../governed-pool.ts'
import { poolConfig, readOptions } from '../options.ts'
import { transaction } from '../transaction.ts'
import { parseConnectionString } from './connection-string.ts'

export type Connection = mysql2.PoolConnection

/** What the client uses of a driver module; one captured for tracing has it too. */
export type ServerlessLibrary = MysqlModule & Pick<typeof mysql2, 'escape' | 'escapeId' | 'format'>

/** The server refused the statement and ran none of it; outside a transaction it may come again. */
const PASSING: readonly unknown[] = [
  1205, // ER_LOCK_WAIT_TIMEOUT
  1213, // ER_LOCK_DEADLOCK
  1317, // ER_QUERY_INTERRUPTED
  1969, // ER_STATEMENT_TIMEOUT (MariaDB)
  3024, // ER_QUERY_TIMEOUT
  3132, // ER_LOCKING_SERVICE_DEADLOCK
  3133, // ER_LOCKING_SERVICE_TIMEOUT
]

export function engineOf(library: ServerlessLibrary): ServerlessEngine<GovernedPool, Connection> {
  return {
    parse: parseConnectionString,
    check: (config) => void readOptions(config),
    createPool: (config, surroundings) =>
      createGovernedPool(library, { connectionLimit: 1, ...config }, surroundings),
    configure: (pool, config) => configure(library, pool, config),
    end: (pool) => new Promise((resolve) => pool.end(() => resolve())),
    clientIn,
    clientOf: (session) => callbackFaceOf(session),
    onError,
    checkout: (pool) =>
      new Promise((resolve, reject) => {
        pool.getConnection((error, connection) => (error ? reject(error) : resolve(connection)))
      }),
    release: (connection) => connection.release(),
    destroy: (connection) => connection.destroy(),
    isOpen: (connection) => !isClosed(driverFaceOf(connection)),
    query: (pool, statement) => ask(pool, statement),
    queryOn: (connection, statement) => ask(connection, statement),
    transaction: (pool, work) =>
      transaction(pool, (session) => work(callbackFaceOf(session)), { retries: 0 }),
    isPassing: (error) => PASSING.includes((error as { errno?: unknown } | null | undefined)?.errno),
    finalSql: ({ sql, values }) => library.format(sql, values as string[]),
  }
}

function ask(asked: mysql2.Pool | Connection, { timeout, ...options }: Statement): Promise<unknown> {
  const limited = timeout === undefined ? options : { ...options, queryTimeoutMs: timeout }
  return new Promise((resolve, reject) => {
    asked.query(limited as mysql2.QueryOptions, (error, result) => {
      if (!error) resolve(result)
      else reject(timeout === undefined ? error : namedAsTheDriverNamesIt(error))
    })
  })
}

/** Applications look for the code that the driver's own timeout has. */
function namedAsTheDriverNamesIt(error: Error): Error {
  if (!LeaseholdError.is(error) || error.code !== 'QUERY_TIMEOUT') return error
  const code = 'PROTOCOL_SEQUENCE_TIMEOUT'
  return Object.assign(new Error(error.message, { cause: error }), { code, errorno: code, syscall: 'query' })
}

/** The driver reads a pool's connection options each time it connects. */
function configure(library: MysqlModule, pool: GovernedPool, config: object): void {
  const { driver } = readOptions(config)
  // Only the driver knows how to read its options; this pool is never connected.
  const fresh = library.createPool(poolConfig(driver, 1) as mysql2.PoolOptions)
  const { pool: _itself, ...connectionConfig } = driverPoolOf(fresh).config.connectionConfig as object & {
    pool?: unknown
  }
  fresh.end(ignore)
  Object.assign(driverPoolOf(pool).config.connectionConfig, connectionConfig)
}

function clientIn(pool: GovernedPool): Connection | null {
  const all = driverPoolOf(pool)._allConnections
  for (let index = all.length - 1; index >= 0; index -= 1) {
    const connection = all.get(index)
    if (connection !== undefined && governedOf(connection) !== undefined && !isClosed(connection))
      return connection as unknown as Connection
  }
  return null
}

function onError(pool: GovernedPool, listener: (error: Error) => void): void {
  pool.on('connection', (connection) => {
    // One loss may be told more than once; one before the session is ready is a failed connect.
    connection.once('error', (error) => {
      const governed = governedOf(driverFaceOf(connection))
      if (governed?.lease.usable() === true) listener(error)
    })
  })
}

/** Sessions and transactions are given with the driver's promises around them. */
function callbackFaceOf(session: unknown): Connection {
  const { connection } = session as { connection?: unknown }
  return (connection ?? session) as Connection
}

function driverFaceOf(connection: unknown): DriverConnection {
  return connection as DriverConnection
}

function driverPoolOf(pool: mysql2.Pool): DriverPool {
  return pool as unknown as DriverPool
}

function ignore(): void {}
