// What the server itself counts, asked for over a connection that takes no slot and is no part of any census.
import { randomBytes } from 'node:crypto'

import type { DatabaseServer } from '@leasehold/test-databases'
import pg from 'pg'

import type { EngineName } from './result.ts'

export interface Counts {
  /** Sessions opened since the server started, those of its administrator not included. */
  readonly connects: number
  /** Connects refused because the server was full. */
  readonly refused: number
}

export interface Counters {
  /** Sessions of ordinary logins right now. */
  sessions(): Promise<number>
  counts(): Promise<Counts>
  close(): Promise<void>
}

export function openCounters(server: DatabaseServer): Promise<Counters> {
  return server.engine === 'postgresql' ? postgresCounters(server) : mysqlCounters(server)
}

/** PostgreSQL counts no refusals, but logs each: by its code alone, it can be counted there. */
export const POSTGRES_SETTINGS: Readonly<Record<string, string>> = {
  logging_collector: 'on',
  log_directory: 'log',
  log_filename: 'server.log',
  log_line_prefix: '%e ',
}

const OBSERVER = 'observer'

/** A connection for logical replication runs SQL like any other, but has places of its own. */
async function postgresCounters(server: DatabaseServer): Promise<Counters> {
  const password = randomBytes(16).toString('hex')
  await server.admin(`create role ${OBSERVER} superuser replication login password '${password}'`)
  const { host, port, database } = server
  const settings: pg.ClientConfig & { replication: 'database' } = {
    host,
    port,
    database,
    user: OBSERVER,
    password,
    replication: 'database',
  }
  const client = new pg.Client(settings)
  client.on('error', () => {})
  await client.connect()
  const one = async (sql: string): Promise<Record<string, unknown>> => (await client.query(sql)).rows[0] ?? {}
  return {
    sessions: async () => Number((await one(POSTGRES_SESSIONS))['total']),
    counts: async () => {
      const { connects, refused } = await one(POSTGRES_COUNTS)
      return { connects: Number(connects), refused: Number(refused) }
    },
    close: () => client.end(),
  }
}

const POSTGRES_SESSIONS = `select count(*) as total from pg_stat_activity
  where backend_type = 'client backend' and usename is not null`

const POSTGRES_COUNTS = `select
  (select sessions from pg_stat_database where datname = current_database()) as connects,
  (select count(*) from regexp_matches(pg_read_file('log/server.log'), '^53300 ', 'gn')) as refused`

/**
 * A connect is refused at once, before it has a number, or after its login, if others came first meanwhile.
 * `Aborted_connects` counts the latter, and on MariaDB both; `Connection_errors_max_connections` both, and on
 * MariaDB the former. `Connections` has those with a number. Found by experiment with both.
 */
const MYSQL_COUNTS = ['Connections', 'Aborted_connects', 'Connection_errors_max_connections'] as const

function mysqlCounts(engine: EngineName, rows: readonly Record<string, unknown>[]): Counts {
  const values = new Map(rows.map((row) => [String(row['Variable_name']), Number(row['Value'])]))
  const [connections = 0, aborted = 0, full = 0] = MYSQL_COUNTS.map((name) => values.get(name))
  return engine === 'mariadb'
    ? { connects: connections - (aborted - full), refused: aborted }
    : { connects: connections - aborted, refused: full }
}

async function mysqlCounters({ admin, engine, login, controlSessions }: DatabaseServer): Promise<Counters> {
  const schema = engine === 'mysql' ? 'performance_schema' : 'information_schema'
  // The list still has those whose slot is free again, the status already those that are to be refused.
  const sessions = `select least(
    (select count(*) from ${schema}.processlist where user = '${login.user}' and command <> 'Connect'),
    (select variable_value - ${controlSessions} from ${schema}.global_status
      where variable_name = 'Threads_connected')) as total`
  return {
    sessions: async () => Number((await admin(sessions))[0]?.['total']),
    counts: async () =>
      mysqlCounts(
        engine,
        await admin(`show global status where variable_name in ('${MYSQL_COUNTS.join("', '")}')`),
      ),
    close: () => Promise.resolve(),
  }
}
