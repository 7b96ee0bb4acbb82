import { createConnection } from 'mysql2/promise'
import type { RowDataPacket } from 'mysql2/promise'
// An ordinary client of each engine, over the plain drivers, in one shape.
import { Client } from 'pg'

import type { DatabaseServer, Login } from '../src/index.ts'

export interface TestClient {
  query(sql: string): Promise<readonly Record<string, unknown>[]>
  end(): Promise<void>
  /** Resolves when the connection is gone, whoever ended it. */
  readonly gone: Promise<void>
}

export interface ClientOptions {
  readonly login?: Login
  readonly label?: string
}

export async function openClient(server: DatabaseServer, options: ClientOptions = {}): Promise<TestClient> {
  return server.engine === 'postgresql' ? openPostgres(server, options) : openMysql(server, options)
}

async function openPostgres(server: DatabaseServer, options: ClientOptions): Promise<TestClient> {
  const { host, port, database, login } = server
  const label = options.label === undefined ? {} : { application_name: options.label }
  const client = new Client({ ...login, ...options.login, ...label, host, port, database })
  client.on('error', () => undefined)
  const gone = new Promise<void>((resolve) => client.once('end', resolve))
  await client.connect()
  return {
    query: async (sql) => (await client.query<Record<string, unknown>>(sql)).rows,
    end: () => client.end(),
    gone,
  }
}

async function openMysql(server: DatabaseServer, options: ClientOptions): Promise<TestClient> {
  const { host, port, database, login } = server
  const attributes = options.label === undefined ? {} : { connectAttributes: { program_name: options.label } }
  const client = await createConnection({ ...login, ...options.login, ...attributes, host, port, database })
  const gone = new Promise<void>((resolve) => client.once('end', resolve).once('error', () => resolve()))
  return {
    query: async (sql) => {
      const [rows] = await client.query<RowDataPacket[]>(sql)
      return rows
    },
    end: () => client.end(),
    gone,
  }
}
