/** A governed mysql2 pool behind the face that the commands use. */

import type { EventEmitter } from 'node:events'

import { createPool } from '@leasehold/mysql-adapter'
import type mysql2 from 'mysql2'

import { type Connector, endOf, type Governance, type Row, type Session } from './session.ts'
import type { PoolOptions } from './target.ts'

/** What of a connection the driver does not declare. */
interface Connected extends EventEmitter {
  readonly stream: EventEmitter
  readonly threadId: number | null
  readonly _handshakePacket?: { readonly serverVersion?: string } | null
}

export function connectMysql(options: PoolOptions, governance: Governance): Connector {
  const { most, name, ...governed } = governance
  const pool = createPool({
    ...options,
    ...governed,
    connectionLimit: most,
    connectAttributes: { program_name: name },
  })
  return {
    connect: async () => sessionOn(await taken(pool)),
    census: () => pool.leasehold.census(),
    stats: () => pool.leasehold.stats(),
    end: () => pool.promise().end(),
  }
}

function taken(pool: ReturnType<typeof createPool>): Promise<mysql2.PoolConnection> {
  return new Promise((resolve, reject) => {
    pool.getConnection((error, connection) => (error === null ? resolve(connection) : reject(error)))
  })
}

function sessionOn(connection: mysql2.PoolConnection): Session {
  const connected = connection as unknown as Connected
  const isMariadb = /mariadb/i.test(connected._handshakePacket?.serverVersion ?? '')
  return {
    engine: isMariadb ? 'mariadb' : 'mysql',
    loginId: connected.threadId ?? undefined,
    ended: endOf(connected, connected.stream),
    run: (statement) => run(connection, statement),
    release: () => connection.release(),
    discard: () => connection.destroy(),
  }
}

/** Whatever the application configured for its own statements. */
function run(connection: mysql2.PoolConnection, sql: string): Promise<readonly Row[]> {
  const options = {
    sql,
    nestTables: false as const,
    rowsAsArray: false,
    typeCast: true,
    namedPlaceholders: false,
  }
  return new Promise((resolve, reject) => {
    connection.query(options, (error: Error | null, rows: unknown) => {
      if (error) reject(error)
      else resolve(Array.isArray(rows) ? (rows as Row[]) : [])
    })
  })
}
