import { createConnection } from 'mysql2/promise'
import type { RowDataPacket } from 'mysql2/promise'
// A client that logs in by token over the plain drivers, set up as their documentation says.
import { Client } from 'pg'

import type { DatabaseServer } from '../src/index.ts'

export interface TokenLogin {
  readonly user: string
  readonly token: string
  /** @defaultValue true */
  readonly tls?: boolean
}

export interface TokenClient {
  user(): Promise<unknown>
  end(): Promise<void>
}

/** Rejects with the driver's own error. */
export async function logIn(server: DatabaseServer, login: TokenLogin): Promise<TokenClient> {
  return server.engine === 'postgresql' ? logInToPostgres(server, login) : logInToMysql(server, login)
}

async function logInToPostgres(
  { port, database, tls }: DatabaseServer,
  login: TokenLogin,
): Promise<TokenClient> {
  const ssl = login.tls === false ? false : { ca: tls?.ca }
  const password = (): Promise<string> => Promise.resolve(login.token)
  const client = new Client({ user: login.user, password, host: 'localhost', port, database, ssl })
  client.on('error', () => undefined)
  try {
    await client.connect()
  } catch (error) {
    await client.end()
    throw error
  }
  return {
    user: async () => (await client.query<{ name: string }>('select current_user as name')).rows[0]?.name,
    end: () => client.end(),
  }
}

async function logInToMysql(
  { port, database, tls }: DatabaseServer,
  login: TokenLogin,
): Promise<TokenClient> {
  const client = await createConnection({
    user: login.user,
    host: 'localhost',
    port,
    database,
    ...(login.tls === false ? {} : { ssl: { ...tls, verifyIdentity: true } }),
    authPlugins: {
      mysql_clear_password: () => () => Promise.resolve(Buffer.from(`${login.token}\0`)),
    },
  })
  return {
    user: async () => {
      const [rows] = await client.query<RowDataPacket[]>('select current_user() as account')
      return String(rows[0]?.['account']).replace(/@%$/, '')
    },
    end: () => client.end(),
  }
}
