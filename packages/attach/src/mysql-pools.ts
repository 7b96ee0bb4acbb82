/** Governs pools of `mysql2` that the application makes for itself, each when it is first asked for a connection. */

import type { EventEmitter } from 'node:events'

import { Graft, type Methods, UNCHANGED } from './graft.ts'
import { adopting, nobody, type Parts, tlsAsGiven } from './parts.ts'

/** Of the adapter: on what it governs, over copies. */
export const GOVERNOR: unique symbol = Symbol.for('leasehold.mysql.governor') as never
/** What the driver takes where the application says nothing. */
const DEFAULT_CONNECT_MS = 10_000

interface Pool extends EventEmitter {
  readonly config: {
    connectionLimit: number
    readonly resetOnRelease?: boolean
    readonly connectionConfig: { connectTimeout?: number; readonly ssl?: unknown }
  }
}

export function attachMysqlPools(prototype: object, parts: Parts): void {
  const adopt = (object: object): Methods => {
    const pool = object as Pool
    if (GOVERNOR in pool) return UNCHANGED
    return adopting(parts, 'mysql2 pool', () => {
      govern(pool, parts)
      // It has methods of its own from now on; they lead to the class's.
      return UNCHANGED
    })
  }
  new Graft(prototype, adopt).put(['getConnection', 'query', 'execute'], true)
}

function govern(pool: Pool, parts: Parts): void {
  const { govern: governDriver } = parts.mysqlAdapter()
  const createPool = (wanted: { connectionLimit: number }): Pool => {
    pool.config.connectionLimit = wanted.connectionLimit
    pool.config.connectionConfig.connectTimeout = 0
    return pool
  }
  const { connectTimeout } = pool.config.connectionConfig
  const { createPool: take } = governDriver({ createPool, createConnection: nobody } as never)
  try {
    take(optionsOf(pool, parts))
  } catch (error) {
    if (connectTimeout !== undefined) pool.config.connectionConfig.connectTimeout = connectTimeout
    throw error
  }
}

/** What the application asked for, as far as the driver has kept it, and what the environment asks for. */
function optionsOf({ config }: Pool, { maxConnections, options }: Parts): object {
  const { connectionLimit: given, resetOnRelease, connectionConfig } = config
  const { connectTimeout, ssl } = connectionConfig
  const asked = options()
  // Left to the default of one connection, a handler that takes two at once would wait for itself.
  const connectionLimit = given === 0 ? (maxConnections ?? 0) : Math.min(given, maxConnections ?? given)
  return {
    connectionLimit,
    ...(resetOnRelease === true ? { resetOnRelease } : {}),
    ...(connectTimeout === DEFAULT_CONNECT_MS ? {} : { connectTimeout }),
    ssl: tlsAsGiven(ssl, asked),
    ...asked,
  }
}
