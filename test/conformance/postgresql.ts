// PostgreSQL's own part of a conformance subject.
import { postgresDialect } from '@leasehold/pg-adapter'
import type { DatabaseServer } from '@leasehold/test-databases'
import pg from 'pg'

import { runOn } from './askers.ts'
import type { EngineParts } from './server-subject.ts'
import type { Specimen } from './subject.ts'

export function postgresqlParts(server: DatabaseServer): EngineParts {
  const login = { host: server.host, port: server.port, database: server.database, ...server.login }

  const connect = async (options: pg.ClientConfig = {}): Promise<pg.Client> => {
    const client = new pg.Client({ ...login, ...options })
    client.on('error', () => {})
    await client.connect()
    return client
  }

  const errorOf = async (work: () => Promise<unknown>): Promise<unknown> => {
    try {
      await work()
    } catch (error) {
      return error
    }
    return undefined
  }

  const query = async (sql: string, options: pg.ClientConfig = {}): Promise<unknown> => {
    const client = await connect(options)
    const error = await errorOf(() => client.query(sql))
    await client.end()
    return error
  }

  return {
    leaseGranularityMs: 1,
    saturatedCodes: ['53300'],
    classify: (error) => postgresDialect.classify(error),
    openBare: async () => {
      try {
        const client = await connect()
        return { close: () => client.end() }
      } catch (error) {
        if ((error as { code?: string }).code === '53300') return undefined
        throw error
      }
    },
    writeToReadOnly: async (connection) => {
      const run = runOn(connection)
      await run('set default_transaction_read_only = on')
      return errorOf(() => run('create table no_such_place (id int)'))
    },
    specimens: (): readonly Specimen[] => [
      { name: 'wrong password', kind: 'auth', raise: () => errorOf(() => connect({ password: 'wrong' })) },
      {
        name: 'unknown database',
        kind: 'fatal',
        raise: () => errorOf(() => connect({ database: 'nowhere' })),
      },
      { name: 'syntax error', kind: 'fatal', raise: () => query('selec 1') },
      {
        name: 'nobody listens',
        kind: 'starting',
        raise: () => errorOf(() => connect({ port: 1 })),
      },
      {
        name: 'role limit',
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
        name: 'serialization failure',
        kind: 'transient',
        raise: async () => {
          const [one, other] = await Promise.all([connect(), connect()])
          await one.query('create table if not exists counters (id int primary key, n int)')
          await one.query('insert into counters values (1, 0) on conflict do nothing')
          for (const client of [one, other]) {
            await client.query('begin isolation level repeatable read')
            await client.query('select n from counters')
          }
          await one.query('update counters set n = n + 1')
          await one.query('commit')
          const error = await errorOf(() => other.query('update counters set n = n + 1'))
          await Promise.all([one.end(), other.end()])
          return error
        },
      },
      {
        name: 'killed while it ran',
        kind: 'lost',
        raise: async () => {
          const client = await connect()
          const [{ id } = { id: 0 }] = (await client.query<{ id: number }>('select pg_backend_pid() as id'))
            .rows
          const error = errorOf(() => client.query('select pg_sleep(5)'))
          await server.terminate(id)
          return error
        },
      },
    ],
  }
}
