/** @leasehold/mysql-adapter/serverless-mysql: the public face of serverless-mysql, on a governed pool. */

import {
  createServerless,
  type Serverless,
  type ServerlessOptions,
  type ServerlessTransaction,
} from '@leasehold/core/serverless'
import mysql2 from 'mysql2'

import { checkDriver } from '../driver.ts'
import type { GovernedPool } from '../governed-pool.ts'
import type { ConnectionOptions } from '../options.ts'
import { type Connection, engineOf, type ServerlessLibrary } from './engine.ts'
import { type ChangeUserOptions, SessionUser } from './session-user.ts'

/**
 * Makes a client that keeps one connection between invocations: for use outside the handler. Opens nothing
 * before the first statement.
 *
 * @param params options, or a connection string
 * @throws LeaseholdError `INVALID_OPTIONS` with every problem, one a line; `UNSUPPORTED_DRIVER`
 */
function serverlessMysql(params?: serverlessMysql.Config | string): serverlessMysql.ServerlessMysql {
  const given = typeof params === 'object' && params !== null ? params.library : undefined
  const library = given ?? mysql2
  checkDriver(library)
  const user = new SessionUser()
  const { api, client } = createServerless(engineOf(library), params, (connection) =>
    user.restore(connection),
  )
  return {
    ...api,
    quit: () => {
      user.forget()
      client.quit()
    },
    changeUser: (options) => user.change(client, options),
    escape: library.escape,
    escapeId: library.escapeId,
    format: library.format,
  }
}

// The types of the original, by its names: a namespace is how one function can carry them into CommonJS.
declare namespace serverlessMysql {
  export type Config = ServerlessOptions<ServerlessLibrary, ConnectionOptions, Connection>
  export type Transaction = ServerlessTransaction
  export type ServerlessMysql = Serverless<GovernedPool, ConnectionOptions, Connection> & {
    /**
     * Changes the session's user or database, on every session that takes this one's place too, until
     * `quit()`. Resolves to true. The application's `onSession` is awaited again: the server resets a session
     * that changes its user.
     * @throws the driver's error; the session then is closed, and the next is who it was before
     * @throws LeaseholdError `INVALID_OPTIONS` with more than one connection
     */
    changeUser(options?: ChangeUserOptions): Promise<boolean>
    readonly escape: typeof mysql2.escape
    readonly escapeId: typeof mysql2.escapeId
    readonly format: typeof mysql2.format
  }
}

export default serverlessMysql
