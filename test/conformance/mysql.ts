// MySQL's and MariaDB's own part of a conformance subject.
import { classify } from '@leasehold/mysql-adapter'
import type { DatabaseServer } from '@leasehold/test-databases'
import mysql2, { type Connection, type ConnectionOptions } from 'mysql2/promise'

import { runOn } from './askers.ts'
import type { EngineParts } from './server-subject.ts'
import type { Specimen } from './subject.ts'

export function mysqlParts(server: DatabaseServer): EngineParts {
  const login = { host: server.host, port: server.port, database: server.database, ...server.login }

  const connect = async (options: ConnectionOptions = {}): Promise<Connection> => {
    const connection = await mysql2.createConnection({ ...login, ...options })
    connection.on('error', () => {})
    return connection
  }

  const errorOf = async (work: () => Promise<unknown>): Promise<unknown> => {
    try {
      await work()
    } catch (error) {
      return error
    }
    return undefined
  }

  const query = async (sql: string): Promise<unknown> => {
    const connection = await connect()
    const error = await errorOf(() => connection.query(sql))
    await connection.end()
    return error
  }

  return {
    leaseGranularityMs: 1_000,
    saturatedCodes: ['ER_CON_COUNT_ERROR'],
    classify,
    openBare: async () => {
      try {
        const connection = await connect()
        return { close: () => connection.end() }
      } catch (error) {
        if ((error as { code?: string }).code === 'ER_CON_COUNT_ERROR') return undefined
        throw error
      }
    },
    writeToReadOnly: async (connection) => {
      const run = runOn(connection)
      await server.admin('set global read_only = on')
      return errorOf(() => run('create table no_such_place (id int)'))
    },
    restoreWrites: async () => {
      await server.admin('set global read_only = off')
    },
    specimens: (): readonly Specimen[] => [
      { name: 'wrong password', kind: 'auth', raise: () => errorOf(() => connect({ password: 'wrong' })) },
      {
        name: 'unknown database',
        kind: 'fatal',
        raise: () => errorOf(() => connect({ database: 'nowhere' })),
      },
      { name: 'syntax error', kind: 'fatal', raise: () => query('selec 1') },
      { name: 'nobody listens', kind: 'starting', raise: () => errorOf(() => connect({ port: 1 })) },
      {
        name: 'account limit',
        kind: 'saturated',
        raise: async () => {
          const limited = await server.createLogin({ maxConnections: 1 })
          const first = await connect(limited)
          const error = await errorOf(() => connect(limited))
          await first.end()
          return error
        },
      },
      {
        name: 'write in a read-only transaction',
        kind: 'read-only',
        raise: async () => {
          const connection = await connect()
          await connection.query('create table if not exists notes (id int primary key)')
          await connection.query('start transaction read only')
          const error = await errorOf(() => connection.query('insert into notes values (1)'))
          await connection.end()
          return error
        },
      },
      {
        name: 'deadlock',
        kind: 'transient',
        raise: async () => {
          const [one, other] = await Promise.all([connect(), connect()])
          await one.query('create table if not exists counters (id int primary key, n int)')
          await one.query('insert ignore into counters values (1, 0), (2, 0)')
          for (const [connection, id] of [
            [one, 1],
            [other, 2],
          ] as const) {
            await connection.query('start transaction')
            await connection.query('update counters set n = n + 1 where id = ?', [id])
          }
          // Both at once, so that each waits for the other; the server fails one of the two.
          const errors = await Promise.all([
            errorOf(() => one.query('update counters set n = n + 1 where id = 2')),
            errorOf(() => other.query('update counters set n = n + 1 where id = 1')),
          ])
          await Promise.all([one.end(), other.end()])
          return errors.find((error) => error !== undefined)
        },
      },
      {
        name: 'killed while it ran',
        kind: 'lost',
        raise: async () => {
          const connection = await connect()
          const error = errorOf(() => connection.query('select sleep(5)'))
          await server.terminate(connection.threadId)
          return error
        },
      },
    ],
  }
}
