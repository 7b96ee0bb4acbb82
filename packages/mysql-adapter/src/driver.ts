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
  shift(): T | undefined
  removeOne(index: number): unknown
}

export interface DriverPacket {
  readonly buffer: Buffer
  readonly offset: number
  readonly end: number
  readonly sequenceId: number
}

/** What runs on a connection, or waits to: a statement, a ping, a goodbye. */
export interface DriverCommand extends EventEmitter {
  /** Undefined in stream style. */
  onResult?: ((error: Error | null, ...answer: unknown[]) => void) | undefined
  /** What it does with the next packet. */
  next: unknown
  /** Sends it, when its turn has come; null where there is nothing to await. */
  start(packet: undefined, connection: DriverConnection): unknown
  /** Of what returns rows. */
  readonly resultsetHeader?: unknown
  readonly infileOk?: unknown
  /** Of the first half of `execute`. */
  readonly prepareHeader?: unknown
  /** Returns whether it is done. Called without a packet when its turn has come. */
  execute(packet: DriverPacket | undefined, connection: DriverConnection): boolean
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
  socketPath?: string
  enableKeepAlive?: boolean
  keepAliveInitialDelay?: number
  /** Makes the socket, or is it. */
  stream?: unknown
  /** The driver gives errors the stack of their callers. */
  trace?: boolean
  pool?: unknown
}

export interface DriverConnection extends EventEmitter {
  stream: Socket
  config: DriverConfig
  readonly packetParser: { execute(data: Buffer): void }
  _pool: DriverPool | null
  _closing?: boolean
  _fatalError: unknown
  _protocolError: unknown
  readonly threadId: number | null
  /** Of the next packet. */
  sequenceId: number
  readonly _paused: boolean
  _command: DriverCommand | null
  readonly _commands: DriverQueue<DriverCommand>
  _handshakePacket: { serverVersion?: string } | null
  handlePacket(packet?: DriverPacket): void
  addCommand(command: DriverCommand): unknown
  /** Stands in for `addCommand` once the connection is closed. */
  _addCommandClosedState(command: DriverCommand): void
  /** Fails what runs and what waits. */
  _notifyError(error: Error): void
  _handleNetworkError(error: Error): void
  /** Once the server has agreed to TLS. */
  startTLS(onSecure: (error?: Error) => void): void
  connect(callback: (error?: Error | null) => void): void
  query(sql: unknown, values?: unknown, callback?: unknown): unknown
  execute(sql: unknown, values?: unknown, callback?: unknown): unknown
  promise(promiseClass?: PromiseConstructor): object
  release?(): void
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
  query(sql: unknown, values?: unknown, callback?: unknown): unknown
  execute(sql: unknown, values?: unknown, callback?: unknown): unknown
  promise(promiseClass?: PromiseConstructor): object
  getConnection(callback: ConnectionCallback): void
  releaseConnection(connection: DriverConnection): void
  _removeConnection(connection: DriverConnection): void
  end(callback?: (error?: Error | null) => void): void
}

const POOL_METHODS = [
  'query',
  'execute',
  'promise',
  'getConnection',
  'releaseConnection',
  '_removeConnection',
  'end',
] as const
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
