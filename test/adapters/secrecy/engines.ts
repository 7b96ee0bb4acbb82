// The engines of the leak test: how each opens, what there is of it to print, and what its driver keeps.
import type { LeaseholdOptions } from '@leasehold/core'
import { createPool as createMysqlPool, govern as governMysql } from '@leasehold/mysql-adapter'
import { createPool as createPgPool, govern as governPg } from '@leasehold/pg-adapter'
import {
  availability,
  type DatabaseServer,
  iamAvailability,
  type ServerOptions,
  startMariadb,
  startPostgres,
} from '@leasehold/test-databases'
import mysql2 from 'mysql2'
import pg from 'pg'

export type Options = LeaseholdOptions & {
  readonly host?: string
  readonly port?: number
  readonly database?: string
  readonly user?: string
  readonly password?: string
  readonly ssl?: object
  readonly uri?: string
}

export interface Opened {
  /** Connects, and runs a statement. */
  use(sql?: string): Promise<unknown>
  /** What can be printed, by name; a connection in use among it while `use` has not come back. */
  printable(): Readonly<Record<string, unknown>>
  end(): Promise<unknown>
}

export interface EngineUnderTest {
  readonly name: string
  readonly start: (options?: ServerOptions) => Promise<DatabaseServer>
  /** Settings of a server that has no TLS: MySQL has some by itself. */
  readonly withoutTls: Readonly<Record<string, string>>
  /** Undefined where no server can verify tokens; the tests of tokens themselves say so. */
  readonly startIam: ReturnType<typeof iamAvailability>[number] | undefined
  readonly pool: (options: Options) => Opened
  /** A connection of a governed module, outside a pool. */
  readonly single: (options: Options) => Opened
  /** As the engine's own connection strings are. */
  readonly scheme: string
  /** Whether the driver keeps its password in members that are not enumerable. */
  readonly hidesPassword: boolean
  readonly slowStatement: string
  readonly codes: {
    readonly denied: string
    readonly tokenDenied: string
    readonly saturated: string
    readonly syntax: string
    readonly noTls: RegExp
  }
}

const withTokens = iamAvailability()

const onPg: EngineUnderTest = {
  name: 'PostgreSQL',
  start: startPostgres,
  withoutTls: {},
  startIam: withTokens.find(({ engine, available }) => engine === 'postgresql' && available),
  pool: ({ uri, ...options }) => {
    const pool = createPgPool({ ...options, ...(uri === undefined ? {} : { connectionString: uri }), max: 2 })
    pool.on('error', () => {})
    const clients = (pool as unknown as { _clients: unknown[] })._clients
    return {
      use: (sql = 'select 1') => pool.query(sql),
      printable: () => ({
        pool,
        'its options': pool.options,
        'its clients': [...clients],
        'its statistics': pool.leasehold.stats(),
        'its governance': pool.leasehold,
      }),
      end: () => pool.end(),
    }
  },
  single: ({ uri, ...options }) => {
    const governed = governPg(pg)
    const client = new governed.Client({
      ...options,
      ...(uri === undefined ? {} : { connectionString: uri }),
    })
    return {
      use: async (sql = 'select 1') => {
        await client.connect()
        await client.query(sql)
      },
      printable: () => ({ 'the governed module': governed, 'its client': client }),
      end: () => client.end(),
    }
  },
  scheme: 'postgres',
  hidesPassword: true,
  slowStatement: 'select pg_sleep(0.2)',
  codes: {
    denied: '28P01',
    tokenDenied: '28000',
    saturated: '53300',
    syntax: '42601',
    noTls: /does not support SSL/,
  },
}

interface DriverPool {
  readonly config: object
  readonly _allConnections: { toArray(): unknown[] }
}

const onMariadb: EngineUnderTest = {
  name: 'MariaDB',
  start: startMariadb,
  withoutTls: {},
  startIam: withTokens.find(({ engine, available }) => engine === 'mariadb' && available),
  pool: (options) => {
    const pool = createMysqlPool({ ...options, connectionLimit: 2 })
    const promised = pool.promise()
    const { config, _allConnections: all } = pool as unknown as DriverPool
    return {
      use: (sql = 'select 1') => promised.query(sql),
      printable: () => ({
        pool,
        'its other face': promised,
        'its options': config,
        'its connections': all.toArray(),
        'its statistics': pool.leasehold.stats(),
        'its governance': pool.leasehold,
      }),
      end: () => promised.end(),
    }
  },
  single: (options) => {
    const governed = governMysql(mysql2)
    const connection = governed.createConnection({ ...options })
    return {
      use: (sql = 'select 1') => connection.promise().query(sql),
      printable: () => ({ 'the governed module': governed, 'its connection': connection }),
      end: async () => connection.destroy(),
    }
  },
  scheme: 'mysql',
  hidesPassword: false,
  slowStatement: 'select sleep(0.2)',
  codes: {
    denied: 'ER_ACCESS_DENIED_ERROR',
    tokenDenied: 'ER_ACCESS_DENIED_ERROR',
    saturated: 'ER_CON_COUNT_ERROR',
    syntax: 'ER_PARSE_ERROR',
    noTls: /does not support secure connection/,
  },
}

const mysql = (await availability()).find(({ engine, available }) => engine === 'mysql' && available)

/** MySQL where it is installed. No server of it here can verify tokens. */
export const ENGINES: readonly EngineUnderTest[] = [
  onPg,
  onMariadb,
  ...(mysql === undefined
    ? []
    : [
        {
          ...onMariadb,
          name: 'MySQL',
          start: mysql.start,
          startIam: undefined,
          withoutTls: { tls_version: '' },
        },
      ]),
]

/** Not a sleep, which a server may end with a result. */
export const LONG: string =
  'select count(*) from information_schema.columns a, information_schema.columns b, information_schema.columns c'

/** Where `server` is, without a login. */
export function placeOf({
  port,
  database,
}: DatabaseServer): Required<Pick<Options, 'host' | 'port' | 'database'>> {
  return { host: 'localhost', port, database }
}
