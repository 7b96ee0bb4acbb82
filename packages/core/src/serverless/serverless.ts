/** The methods of a serverless client as applications call them: plain functions, free to be taken apart. */

import type { Surroundings } from '../surroundings.ts'
import { ServerlessClient } from './client.ts'
import type { ServerlessConfig, ServerlessEngine } from './engine.ts'
import type { ServerlessOptions } from './options.ts'
import { settingsOf } from './settings.ts'
import { type ServerlessTransaction, TransactionBuilder } from './transaction.ts'

export interface Serverless<Pool, Config, Client> {
  /** Opens the connection, where none is open. `query` does it by itself. The argument has no effect. */
  connect(waitMs?: number): Promise<void>
  /**
   * Merges into the configuration, and returns it. Holds for connections that are opened from then on.
   * @throws LeaseholdError `INVALID_OPTIONS`
   */
  config(config?: Config | string): Config
  /** Runs one statement, and resolves to its result, without the fields. */
  query<T>(sql: string, values?: unknown): Promise<T>
  query<T>(options: object, values?: unknown): Promise<T>
  /** The end of an invocation: counts it, and rolls back what was begun by hand. Sends nothing, waits for nothing. */
  end(): Promise<void>
  /** Closes the connection, when what runs on it has ended. The next statement opens another. */
  quit(): void
  transaction(): ServerlessTransaction
  /** How often `end()` was called since the connection was opened. */
  getCounter(): number
  /** The open connection, or null. It stays the pool's: never end or release it. */
  getClient(): Client | null
  /** The configuration; live. */
  getConfig(): Config
  /** Failed connects and failed connections, since the process began. */
  getErrorCount(): number
  /** The governed pool underneath: `getPool().leasehold`. Another one after `quit()`. */
  getPool(): Pool
}

export interface ServerlessParts<Pool, Config, Client> {
  readonly api: Serverless<Pool, Config, Client>
  /** For methods that only one engine has. */
  readonly client: ServerlessClient<Pool, Client>
}

/** @throws LeaseholdError `INVALID_OPTIONS` with every problem */
export function createServerless<Pool, Config, Client>(
  engine: ServerlessEngine<Pool, Client>,
  given: ServerlessOptions<unknown, Config, Client> | string | undefined,
  prepare: (client: Client) => Promise<void> = async () => {},
  surroundings: Surroundings = {},
): ServerlessParts<Pool, Config, Client> {
  const options = typeof given === 'object' && given !== null ? given : {}
  const settings = settingsOf(options)
  const client = new ServerlessClient<Pool, Client>(engine, settings, prepare, surroundings)
  client.configure((typeof given === 'string' ? given : options.config) ?? ({} satisfies ServerlessConfig))
  const api: Serverless<Pool, Config, Client> = {
    connect: () => client.connect(),
    config: (config) => client.configure(config) as Config,
    query: <T>(...args: readonly unknown[]) => client.query(args) as Promise<T>,
    end: async () => client.end(),
    quit: () => client.quit(),
    transaction: () => new TransactionBuilder(client),
    getCounter: () => client.counter,
    getClient: () => client.client,
    getConfig: () => client.config as Config,
    getErrorCount: () => client.errorCount,
    getPool: () => client.pool,
  }
  return { api, client }
}
