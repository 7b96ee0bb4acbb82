/** Governs a genuine mysql2 callback pool: everything in the driver goes through its `getConnection`. */

import {
  type Asker,
  callersOf,
  followPlaces,
  governanceOf,
  Governor,
  Moment,
  type Surroundings,
} from '@leasehold/core'
import type mysql2 from 'mysql2'

import { PoolDialect } from './dialect.ts'
import {
  checkPool,
  type ConnectionCallback,
  type DriverConnection,
  type DriverPool,
  indexIn,
  type MysqlModule,
} from './driver.ts'
import { abandon, cut, governedOf, isClosed } from './governed-connection.ts'
import { ENDED, Opener } from './opener.ts'
import { poolConfig, type PoolOptions, readOptions } from './options.ts'
import { Places } from './places.ts'
import { governedSend } from './pool-query.ts'
import type { GovernedPool } from './pool-types.ts'
import { mendPool } from './promise-faces.ts'
import { hideSecrets } from './secrets.ts'
import type { ConnectionHome } from './session.ts'

export type { GovernedPool } from './pool-types.ts'

/** Frames of a stack that lie inside the driver. */
const OF_DRIVER = /[\\/]mysql2[^\\/]*[\\/]lib[\\/]/

/** Leads from a pool to its governor, over copies of this package. */
export const GOVERNOR: unique symbol = Symbol.for('leasehold.mysql.governor') as never

export function createGovernedPool(
  driver: MysqlModule,
  options: PoolOptions | string,
  surroundings: Surroundings = {},
): GovernedPool {
  const { resolved, driver: driverOptions } = readOptions(options)
  const dialect = new PoolDialect(resolved.fleet)
  const governor = new Governor(dialect, resolved, surroundings)
  const config = poolConfig(driverOptions, governor.poolMax)
  const pool: unknown = driver.createPool(config as mysql2.PoolOptions)
  checkPool(pool)
  if (driverOptions['connectionLimit'] === undefined) followPlaces(pool.config, 'connectionLimit')
  hideSecrets(pool.config.connectionConfig)
  const leavesTlsToUs = driverOptions['ssl'] === undefined && !pool.config.connectionConfig.ssl
  new PoolGovernor(pool, governor, dialect, leavesTlsToUs).take()
  Object.defineProperty(pool, 'leasehold', { value: governanceOf(governor), enumerable: false })
  Object.defineProperty(pool, GOVERNOR, { value: governor })
  return pool as unknown as GovernedPool
}

class PoolGovernor {
  readonly #pool: DriverPool
  readonly #governor: Governor
  readonly #opener: Opener
  readonly #places: Places
  /** Callbacks that already have a deadline: the driver passes them through `getConnection` again. */
  readonly #patient = new WeakSet<ConnectionCallback>()
  /** Of callbacks, where invocations run side by side. */
  readonly #askers = new WeakMap<ConnectionCallback, Asker>()
  readonly #base: Pick<DriverPool, 'getConnection' | 'releaseConnection' | '_removeConnection' | 'end'>

  constructor(pool: DriverPool, governor: Governor, dialect: PoolDialect, leavesTlsToUs: boolean) {
    this.#pool = pool
    this.#governor = governor
    const { getConnection, releaseConnection, _removeConnection, end } = pool
    this.#base = { getConnection, releaseConnection, _removeConnection, end }
    this.#places = new Places(pool, (standIn) => releaseConnection.call(pool, standIn))
    governor.observations.facts = {
      maxCount: () => pool.config.connectionLimit,
      waitingCount: () => pool._connectionQueue.length,
    }
    const home: ConnectionHome = {
      idle: (connection) => indexIn(pool._freeConnections, connection) >= 0,
      yield: (connection) => this.#yield(connection),
      drop: (connection) => abandon(connection),
    }
    this.#opener = new Opener({
      pool,
      governor,
      dialect,
      places: this.#places,
      home,
      leavesTlsToUs,
      getConnection,
    })
  }

  /** Puts the governed methods on the pool itself: `promise()`, `query` and `execute` all call these. */
  take(): void {
    const pool = this.#pool
    const { traceCheckouts } = this.#governor.options
    Object.assign(pool, {
      query: governedSend(pool, this.#governor, 'query'),
      execute: governedSend(pool, this.#governor, 'execute'),
      getConnection: (callback: ConnectionCallback) =>
        this.#getConnectionFor(traceCheckouts ? this.#traced(callback) : callback),
      releaseConnection: (connection: DriverConnection) => this.#releaseConnection(connection),
      _removeConnection: (connection: DriverConnection) => this.#removeConnection(connection),
      end: (callback?: (error?: Error | null) => void) => this.#end(callback),
    })
    mendPool(pool)
  }

  #traced(callback: ConnectionCallback): ConnectionCallback {
    if (this.#patient.has(callback)) return callback
    const callers = callersOf(this.#pool, ['query', 'execute', 'getConnection'], OF_DRIVER)
    return (error, connection) => {
      const governed = connection === undefined ? undefined : governedOf(connection)
      if (governed !== undefined) governed.takenAt = callers
      callback(error, connection)
    }
  }

  /** Where invocations run side by side, what is done for one of them is done in its own context. */
  #getConnectionFor(callback: ConnectionCallback): void {
    const known = this.#askers.get(callback)
    if (known !== undefined) {
      known.run(() => this.#getConnection(callback))
      return
    }
    const asker = this.#governor.asker()
    if (asker === undefined) {
      this.#getConnection(callback)
      return
    }
    const asked: ConnectionCallback = (error, connection) => {
      if (connection !== undefined) asker.took(governedOf(connection))
      asker.run(() => callback(error, connection))
    }
    this.#askers.set(asked, asker)
    this.#getConnection(asked)
  }

  #getConnection(callback: ConnectionCallback): void {
    const pool = this.#pool
    const free = pool._freeConnections
    while (free.length > 0 && !pool._closed) {
      // The driver takes the most recently used one.
      const connection = free.get(free.length - 1) as DriverConnection
      const governed = governedOf(connection)
      if (governed === undefined) break
      const fitness = isClosed(connection) ? 'lapsed' : this.#governor.checkout(governed)
      if (fitness === 'ready') {
        this.#governor.handedOver(governed)
        break
      }
      if (fitness === 'verify') {
        this.#base.getConnection.call(this.#pool, (error, taken) => {
          if (error || taken === undefined) callback(error)
          else void this.#verify(taken, callback)
        })
        return
      }
      governed.spoilt = true
      cut(connection)
      this.#governor.observations.lapsed(governed)
    }
    if (free.length > 0 || pool._closed) {
      this.#base.getConnection.call(this.#pool, callback)
      return
    }
    if (!this.#hasPlace()) this.#governor.noticeInvocation()
    if (this.#hasPlace()) void this.#opener.open(callback)
    else this.#base.getConnection.call(pool, this.#withPatience(callback))
  }

  #hasPlace(): boolean {
    const { _allConnections: all, config } = this.#pool
    return config.connectionLimit === 0 || all.length < config.connectionLimit
  }

  async #verify(connection: DriverConnection, callback: ConnectionCallback): Promise<void> {
    const governed = governedOf(connection)
    if (governed === undefined || ((await this.#governor.alive(governed)) && !isClosed(connection))) {
      if (governed !== undefined) this.#governor.handedOver(governed)
      process.nextTick(callback, null, connection)
      return
    }
    this.#governor.observations.lost(governed)
    governed.spoilt = true
    cut(connection)
    process.nextTick(() => this.#pool.getConnection(callback))
  }

  #withPatience(callback: ConnectionCallback): ConnectionCallback {
    if (this.#patient.has(callback)) return callback
    const { acquireLimitMs, clock } = this.#governor
    const patience = new AbortController()
    const begun = new Moment(clock)
    let over = false
    clock.sleep(acquireLimitMs, patience.signal).then(
      () => {
        over = true
        const { _connectionQueue: queue, _allConnections: all } = this.#pool
        const { length } = all
        const place = indexIn(queue, patient)
        if (place >= 0) queue.removeOne(place)
        callback(this.#governor.busyError(acquireLimitMs, length, this.#pool.config.connectionLimit))
      },
      () => {},
    )
    const patient: ConnectionCallback = (error, connection) => {
      if (over) {
        if (connection !== undefined) this.#pool.releaseConnection(connection)
        return
      }
      patience.abort()
      // From the request before it, without a checkout in between.
      const governed = connection === undefined ? undefined : governedOf(connection)
      if (governed?.checkedOut === false) this.#governor.handedOver(governed)
      this.#governor.observations.waited(begun, governed)
      callback(error, connection)
    }
    this.#patient.add(patient)
    const asker = this.#askers.get(callback)
    if (asker !== undefined) this.#askers.set(patient, asker)
    return patient
  }

  #releaseConnection(connection: DriverConnection): void {
    const governed = governedOf(connection)
    if (governed !== undefined && connection._pool !== null) {
      if (this.#governor.endsAtCheckin(governed) || isClosed(connection)) {
        cut(connection)
        return
      }
      this.#governor.checkin(governed)
    }
    this.#base.releaseConnection.call(this.#pool, connection)
    this.#places.stopOneBackingOff()
  }

  #removeConnection(connection: DriverConnection): void {
    const governed = governedOf(connection)
    this.#places.keep(connection)
    this.#base._removeConnection.call(this.#pool, connection)
    if (governed === undefined) return
    // Told when the pool has it no longer: whoever hears of it may ask for a connection at once, and would get this one.
    const isNews = !governed.spoilt && !governed.checkedOut
    if (isNews && governed.lease.usable()) this.#governor.observations.lost(governed)
    else if (isNews) this.#governor.observations.lapsed(governed)
    this.#governor.forget(governed)
  }

  #yield(connection: DriverConnection): void {
    const governed = governedOf(connection)
    if (governed !== undefined) governed.spoilt = true
    connection._removeFromPool?.()
    const end = connection._realEnd ?? connection.end
    end.call(connection, ignore)
  }

  #end(callback?: (error?: Error | null) => void): void {
    this.#places.stopAll(new Error(ENDED))
    const { observations } = this.#governor
    observations.ends()
    const done = observations.recorder.isOn ? observations.afterFlush(callback ?? ignore) : callback
    // From its end on the driver takes no connection out of the pool any more.
    const { _allConnections: all } = this.#pool
    for (let index = 0; index < all.length; index += 1) {
      const connection = all.get(index) as DriverConnection
      const governed = governedOf(connection)
      if (governed !== undefined) connection.stream.once('close', () => this.#governor.forget(governed))
    }
    this.#base.end.call(this.#pool, done)
  }
}

function ignore(): void {}
