// How this library speaks to a PostgreSQL server as its superuser, without taking a slot from anybody.
import { Client } from 'pg'
import type { ClientConfig, QueryResult } from 'pg'

import { LOOPBACK } from './free-port.ts'
import type { Rows } from './rows.ts'

export interface SuperuserAccess {
  readonly port: number
  readonly user: string
  readonly password: string
  readonly database: string
}

const CONNECT_WITHIN_MS = 10_000
const ANSWER_WITHIN_MS = 60_000

/**
 * One connection for one call. It is a logical replication connection: those run SQL like any other, but have
 * places of their own (`max_wal_senders`), so it gets in when all slots are taken and never takes the last
 * one. And because it is gone afterwards, a census (`sum(numbackends)`) counts the ordinary sessions and
 * nothing else. https://www.postgresql.org/docs/current/protocol-replication.html
 */
export async function runAsSuperuser(access: SuperuserAccess, sql: string): Promise<Rows> {
  const settings: ClientConfig & { replication: 'database' } = {
    ...access,
    host: LOOPBACK,
    ssl: false,
    replication: 'database',
    application_name: 'leasehold-control',
    connectionTimeoutMillis: CONNECT_WITHIN_MS,
    query_timeout: ANSWER_WITHIN_MS,
  }
  const client = new Client(settings)
  // A server that is killed meanwhile also fails the promise below; without a listener it would be uncaught.
  client.on('error', () => undefined)
  try {
    await client.connect()
    const result: QueryResult | readonly QueryResult[] = await client.query(sql)
    const last = Array.isArray(result) ? result.at(-1) : result
    return last?.rows ?? []
  } finally {
    await client.end()
  }
}
