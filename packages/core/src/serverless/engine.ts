/** What a serverless client needs an adapter to do with its driver. */

import type { LeaseholdOptions } from '../options/options.ts'
import type { Surroundings } from '../surroundings.ts'
import type { Statement } from './options.ts'

/** The driver's connection options, and ours. */
export type ServerlessConfig = LeaseholdOptions & Readonly<Record<string, unknown>>

export interface ServerlessEngine<Pool, Client> {
  /** @throws LeaseholdError `INVALID_OPTIONS` */
  parse(connectionString: string): ServerlessConfig
  /** @throws LeaseholdError `INVALID_OPTIONS` with every problem */
  check(config: ServerlessConfig): void
  /** A governed pool of one connection, unless `config` asks for more. Opens nothing. */
  createPool(config: ServerlessConfig, surroundings: Surroundings): Pool
  /** Sessions that the pool opens from now on connect by this config. */
  configure(pool: Pool, config: ServerlessConfig): void
  /** Closes politely; resolves when it is done, and never rejects. */
  end(pool: Pool): Promise<void>
  /** The pool's open connection, or null. */
  clientIn(pool: Pool): Client | null
  /** The connection of the session that `onSession` was given. */
  clientOf(session: unknown): Client
  /** Tells of open connections that fail, but for leases that ran out. */
  onError(pool: Pool, listener: (error: Error) => void): void
  checkout(pool: Pool): Promise<Client>
  release(client: Client): void
  destroy(client: Client): void
  /** Whether the driver takes statements on it. */
  isOpen(client: Client): boolean
  query(pool: Pool, statement: Statement): Promise<unknown>
  /** On a connection that is checked out. */
  queryOn(client: Client, statement: Statement): Promise<unknown>
  /** Runs `work` between BEGIN and COMMIT, once, on a connection of its own. */
  transaction<T>(pool: Pool, work: (client: Client) => Promise<T>): Promise<T>
  /** The server refused the statement for a reason that may have passed at the next try, and ran none of it. */
  isPassing(error: unknown): boolean
  /** The text as the server gets it. */
  finalSql(statement: Statement): string
}
