/** Governs connections of `mysql2` outside pools, each while it is made. */

import type { LeaseholdOptions } from '@leasehold/core'

import { Graft, type Methods, UNCHANGED } from './graft.ts'
import { GOVERNOR } from './mysql-pools.ts'
import { type MysqlConnection, steady } from './mysql-steady.ts'
import { adopting, nobody, type Parts, tlsAsGiven } from './parts.ts'
import { spare } from './sockets.ts'

/** Of the adapter: set on the process while it makes a connection for the application, to govern it itself. */
const MAKING = Symbol.for('leasehold.mysql.making')

export function attachMysqlConnections(prototype: object, parts: Parts): void {
  // The first command of every connection is its handshake, added where it is made.
  const adopt = (object: object): Methods => {
    const connection = object as MysqlConnection
    const { pool } = connection.config
    if (pool !== undefined && pool !== null) {
      if (GOVERNOR in pool) spare(connection.stream)
      return UNCHANGED
    }
    if (connection.config.isServer === true) return UNCHANGED
    if ((globalThis as { [MAKING]?: boolean })[MAKING] === true) {
      spare(connection.stream)
      return UNCHANGED
    }
    return adopting(parts, 'mysql2 connection', () => {
      govern(connection, parts)
      return UNCHANGED
    })
  }
  new Graft(prototype, adopt).put(['addCommand'], true)
}

function govern(connection: MysqlConnection, parts: Parts): void {
  const { config } = connection
  if (config.stream !== undefined) throw new Error('its socket is of somebody else’s making')
  const { govern: governDriver } = parts.mysqlAdapter()
  const before = copyOf(config)
  const createConnection = (wanted: { connectAttributes?: object }): MysqlConnection => {
    if (wanted.connectAttributes !== undefined) config.connectAttributes = wanted.connectAttributes
    return connection
  }
  const { createConnection: take } = governDriver({ createPool: nobody, createConnection } as never)
  take(optionsOf(config, parts))
  spare(connection.stream)
  const { constructor: Plain } = connection as unknown as {
    constructor: new (options: { config: object }) => MysqlConnection
  }
  steady(connection, () => new Plain({ config: copyOf(before) }))
}

/** Of an option that needs a pool the connection has nothing; it logs in by what the application gave it. */
function optionsOf(config: MysqlConnection['config'], parts: Parts): object {
  const { credentials, onSession, ...asked }: LeaseholdOptions = parts.options()
  if (credentials !== undefined) {
    parts.leftOut(
      'mysql2 connection',
      'it logs in with its own password: credentials from elsewhere need a pool',
    )
  }
  if (onSession !== undefined) parts.leftOut('mysql2 connection', '`LEASEHOLD_ON_SESSION` needs a pool')
  const { connectAttributes, ssl } = config
  return { connectAttributes, ssl: tlsAsGiven(ssl, asked), ...asked }
}

function copyOf(config: object): object {
  return Object.create(
    Object.getPrototypeOf(config) as object | null,
    Object.getOwnPropertyDescriptors(config),
  ) as object
}
