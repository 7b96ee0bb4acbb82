/** The members of the driver that governance touches, described structurally, and the check that they are there. */

import type { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'

import { LeaseholdError } from '@leasehold/core'
import type mysql2 from 'mysql2'

/** The driver module that the application passes in: `mysql2`, not `mysql2/promise`. */
export type MysqlModule = Pick<typeof mysql2, 'createPool' | 'createConnection'>

/** The driver's double-ended queue. */
export interface DriverQueue<T> {
  readonly length: number
  get(index: number): T | undefined
  push(item: T): number
  removeOne(index: number): unknown
}

export interface DriverPacket {
  readonly buffer: Buffer
  readonly offset: number
  readonly end: number
  isError(): boolean
}

/** What the driver copies for each connection that it makes. */
export interface DriverConfig {
  connectAttributes?: Record<string, string>
  host?: string
  port?: number
  user?: string | undefined
  password?: string
  ssl?: unknown
  authPlugins?: Record<string, unknown>
}

export interface DriverConnection extends EventEmitter {
  stream: Socket
  config: { connectAttributes?: Record<string, string> }
  _pool: DriverPool | null
  _closing?: boolean
  _fatalError: unknown
  _protocolError: unknown
  _command: unknown
  _commands: { readonly length: number }
  _handshakePacket: { serverVersion?: string } | null
  handlePacket(packet?: DriverPacket): void
  query(options: object, callback: (error: Error | null, rows: unknown) => void): unknown
  ping(callback: (error?: Error | null) => void): unknown
  destroy(): void
  end(callback?: (error?: Error | null) => void): unknown
  _realEnd?(callback?: (error?: Error | null) => void): unknown
  _removeFromPool?(): void
}

export type ConnectionCallback = (error: Error | null, connection?: DriverConnection) => void

export interface DriverPool extends EventEmitter {
  config: { connectionLimit: number; connectionConfig: DriverConfig }
  _closed: boolean
  _allConnections: DriverQueue<DriverConnection>
  _freeConnections: DriverQueue<DriverConnection>
  _connectionQueue: DriverQueue<ConnectionCallback>
  getConnection(callback: ConnectionCallback): void
  releaseConnection(connection: DriverConnection): void
  _removeConnection(connection: DriverConnection): void
  end(callback?: (error?: Error | null) => void): void
}

const POOL_METHODS = ['getConnection', 'releaseConnection', '_removeConnection', 'end'] as const
const POOL_QUEUES = ['_allConnections', '_freeConnections', '_connectionQueue'] as const

/** @throws LeaseholdError `UNSUPPORTED_DRIVER` naming what is missing */
export function checkPool(pool: unknown): asserts pool is DriverPool {
  const members = pool as Record<string, unknown>
  const missing: string[] = POOL_METHODS.filter((name) => typeof members[name] !== 'function')
  for (const name of POOL_QUEUES) {
    const queue = members[name] as Partial<DriverQueue<unknown>> | undefined
    if (typeof queue?.get !== 'function' || typeof queue.length !== 'number') missing.push(name)
  }
  if (missing.length === 0) return
  throw new LeaseholdError(
    'UNSUPPORTED_DRIVER',
    `this \`mysql2\` cannot be governed, its pool lacks ${missing.join(', ')}: pass in \`mysql2\` (not ` +
      '`mysql2/promise`), 3.12 or later',
  )
}

/** @throws LeaseholdError `UNSUPPORTED_DRIVER` */
export function checkDriver(driver: MysqlModule): void {
  if (typeof driver.createPool === 'function' && typeof driver.createConnection === 'function') return
  throw new LeaseholdError(
    'UNSUPPORTED_DRIVER',
    'this is not `mysql2`: it has no `createPool` and `createConnection`',
  )
}

/** The index of `item`, or -1. */
export function indexIn<T>(queue: DriverQueue<T>, item: T): number {
  for (let index = 0; index < queue.length; index += 1) {
    if (queue.get(index) === item) return index
  }
  return -1
}
