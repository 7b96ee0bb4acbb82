/** The members of the driver that governance touches, described structurally, and the check that they are there. */

import type { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'

import { LeaseholdError } from '@leasehold/core'
import type pg from 'pg'

/** The driver module that the application passes in. */
export type PgModule = Pick<typeof pg, 'Pool' | 'Client'>

export interface DriverConnection extends EventEmitter {
  stream: Socket
  ssl: unknown
  /** `direct` without the question that comes before TLS. Undefined in older drivers. */
  sslNegotiation?: string
  _ending: boolean
  parsedStatements: Record<string, string>
  submittedNamedStatements: Record<string, unknown>
  connect(port: number, host: string): void
  requestSsl(): void
  cancel(processID: number, secretKey: number): void
  sendSCRAMClientFinalMessage(response: string): void
}

/** What the server says in a login by SASL. */
export interface SaslMessage {
  readonly data: string
}

/** One statement as the driver keeps it. */
export interface DriverQuery {
  handleError(error: unknown, connection: DriverConnection): void
}

export interface DriverResult {
  readonly rows: unknown[]
  /** The first word of the command tag: `COMMIT`, `ROLLBACK`. */
  readonly command: string
}

export type QueryCallback = (error: Error | null | undefined, result?: unknown) => void

export interface DriverClient extends EventEmitter {
  connection: DriverConnection
  connectionParameters: {
    application_name?: string
    options?: string
    idle_in_transaction_session_timeout?: unknown
    password?: unknown
    user?: string
    host?: string
    port?: number
  }
  user?: string
  host: string
  port: number
  /** `false` without TLS. */
  ssl: unknown
  readyForQuery?: boolean
  _queryable: boolean
  _ending: boolean
  _ended: boolean
  _connecting: boolean
  _connected: boolean
  _connectionError: boolean
  _connectionCallback: unknown
  /** What waits to be sent; `queryQueue` before pg 8.17. */
  _queryQueue?: DriverQuery[]
  queryQueue: DriverQuery[]
  /** What the server is answering; `activeQuery` before pg 8.17. */
  _activeQuery?: DriverQuery | null
  activeQuery: DriverQuery | null | undefined
  /** With `pipeline`: sent, and behind what the server is answering. */
  _sentQueryQueue?: DriverQuery[]
  _Promise: PromiseConstructor
  saslSession?: unknown
  processID: number | null
  secretKey: number | null
  password: unknown
  connect(callback?: (error: Error | null) => void): unknown
  query(config: unknown, values?: unknown, callback?: unknown): unknown
  end(callback?: () => void): Promise<void>
  _errorAllQueries(error: unknown): void
  _pulseQueryQueue(): void
  _handleAuthSASLContinue(message: SaslMessage): unknown
}

/** One request for a client, waiting in the pool. */
export interface PendingItem {
  callback: (error: Error | undefined, client: unknown, release: (error?: unknown) => void) => void
  timedOut?: boolean
}

export type IdleListener = (error: Error) => void

export interface DriverPool extends EventEmitter {
  options: Record<string, unknown> & { max: number }
  ending: boolean
  readonly waitingCount: number
  _clients: DriverClient[]
  _idle: { readonly client: DriverClient }[]
  _pendingQueue: PendingItem[]
  /** Clients that outlived `maxLifetimeSeconds`. */
  _expired?: WeakSet<object>
  _isFull(): boolean
  _pulseQueue(): void
  newClient(pending: PendingItem): void
  _remove(client: DriverClient, callback?: () => void): void
  _acquireClient(client: DriverClient, pending: PendingItem, idleListener: IdleListener, isNew: boolean): void
  _release(client: DriverClient, idleListener: IdleListener, error?: unknown): void
  /** The application's own, by option. */
  Promise?: PromiseConstructor
  connect(callback?: PendingItem['callback']): Promise<unknown> | undefined
  query(config: unknown, values?: unknown, callback?: unknown): unknown
  end(callback?: () => void): Promise<void>
}

const POOL_MEMBERS = [
  'connect', 'query', 'newClient', '_isFull', '_pulseQueue', '_remove', '_acquireClient', '_release',
] as const // prettier-ignore
const CLIENT_MEMBERS = [
  'connect', 'query', '_errorAllQueries', '_attachListeners', '_pulseQueryQueue',
] as const // prettier-ignore

/** @throws LeaseholdError `UNSUPPORTED_DRIVER` naming what is missing */
export function checkDriver(driver: PgModule): void {
  refuseLacking([...missingFrom('Pool', driver.Pool, POOL_MEMBERS), ...missingOfClient(driver)])
}

/** @throws LeaseholdError `UNSUPPORTED_DRIVER` naming what is missing */
export function checkClient(driver: Pick<PgModule, 'Client'>): void {
  refuseLacking(missingOfClient(driver))
}

function missingOfClient(driver: Pick<PgModule, 'Client'>): string[] {
  return missingFrom('Client', driver.Client, CLIENT_MEMBERS)
}

function refuseLacking(missing: readonly string[]): void {
  if (missing.length === 0) return
  throw new LeaseholdError(
    'UNSUPPORTED_DRIVER',
    `this \`pg\` cannot be governed, it lacks ${missing.join(', ')}: pass in the plain JavaScript driver, pg 8.16 or later`,
  )
}

function missingFrom(name: string, member: unknown, wanted: readonly string[]): string[] {
  if (typeof member !== 'function') return [name]
  const prototype = member.prototype as Record<string, unknown>
  return wanted.filter((key) => typeof prototype[key] !== 'function').map((key) => `${name}.prototype.${key}`)
}
