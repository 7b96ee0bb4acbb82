/** Governs a genuine mysql2 callback pool: everything in the driver goes through its `getConnection`. */

import {
  type Attempt,
  type Clock,
  type Credential,
  type CredentialTarget,
  governanceOf,
  Governor,
  isRdsHost,
  type Opened,
  type PoolGovernance,
  rdsTls,
  type Surroundings,
  systemEnv,
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
import {
  type ConnectionHome,
  cut,
  governedOf,
  isClosed,
  labelled,
  takeLease,
  watch,
} from './governed-connection.ts'
import { poolConfig, type PoolOptions, readOptions } from './options.ts'
import { type Opening, OTHER_FREE, Places } from './places.ts'
import { hideSecrets } from './secrets.ts'
import { logInWithToken } from './token.ts'

export type GovernedPool = mysql2.Pool & { readonly leasehold: PoolGovernance }

const ENDED = 'Pool is closed.'

export function createGovernedPool(
  driver: MysqlModule,
  options: PoolOptions | string,
  surroundings: Surroundings = {},
): GovernedPool {
  const { resolved, driver: driverOptions } = readOptions(options)
  const pool: unknown = driver.createPool(
    poolConfig(driverOptions, surroundings.env ?? systemEnv) as mysql2.PoolOptions,
  )
  checkPool(pool)
  hideSecrets(pool.config.connectionConfig)
  const dialect = new PoolDialect()
  const governor = new Governor(dialect, resolved, surroundings)
  new PoolGovernor(pool, governor, dialect, driverOptions['ssl'] === undefined).take()
  Object.defineProperty(pool, 'leasehold', { value: governanceOf(governor), enumerable: false })
  return pool as unknown as GovernedPool
}

class PoolGovernor {
  readonly #pool: DriverPool
  readonly #governor: Governor
  readonly #dialect: PoolDialect
  readonly #clock: Clock
  readonly #attributes: Record<string, string> | undefined
  /** The user of the options; a secret may name another. */
  readonly #user: string | undefined
  readonly #places: Places
  /** Callbacks that already have a deadline: the driver passes them through `getConnection` again. */
  readonly #patient = new WeakSet<ConnectionCallback>()
  /** The application said nothing about TLS. */
  readonly #leavesTlsToUs: boolean
  readonly #base: Pick<DriverPool, 'getConnection' | 'releaseConnection' | '_removeConnection' | 'end'>
  readonly #home: ConnectionHome

  constructor(pool: DriverPool, governor: Governor, dialect: PoolDialect, leavesTlsToUs: boolean) {
    this.#leavesTlsToUs = leavesTlsToUs
    this.#pool = pool
    this.#governor = governor
    this.#dialect = dialect
    this.#clock = governor.clock
    this.#attributes = pool.config.connectionConfig.connectAttributes
    this.#user = pool.config.connectionConfig.user
    this.#base = {
      getConnection: pool.getConnection,
      releaseConnection: pool.releaseConnection,
      _removeConnection: pool._removeConnection,
      end: pool.end,
    }
    this.#places = new Places(pool, (standIn) => this.#base.releaseConnection.call(pool, standIn))
    this.#home = {
      idle: (connection) => indexIn(pool._freeConnections, connection) >= 0,
      yield: (connection) => this.#yield(connection),
      drop: (connection) => cut(connection),
    }
  }

  /** Puts the governed methods on the pool itself: `promise()`, `query` and `execute` all call these. */
  take(): void {
    Object.assign(this.#pool, {
      getConnection: (callback: ConnectionCallback) => this.#getConnection(callback),
      releaseConnection: (connection: DriverConnection) => this.#releaseConnection(connection),
      _removeConnection: (connection: DriverConnection) => this.#removeConnection(connection),
      end: (callback?: (error?: Error | null) => void) => this.#end(callback),
    })
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
      this.#governor.stats.lapsed += 1
      governed.spoilt = true
      cut(connection)
    }
    if (free.length > 0 || pool._closed) {
      this.#base.getConnection.call(this.#pool, callback)
      return
    }
    const limit = pool.config.connectionLimit
    if (limit === 0 || pool._allConnections.length < limit) void this.#open(callback)
    else
      this.#base.getConnection.call(
        this.#pool,
        this.#patient.has(callback) ? callback : this.#withPatience(callback),
      )
  }

  async #verify(connection: DriverConnection, callback: ConnectionCallback): Promise<void> {
    const governed = governedOf(connection)
    if (governed === undefined || ((await this.#governor.alive(governed)) && !isClosed(connection))) {
      if (governed !== undefined) this.#governor.handedOver(governed)
      process.nextTick(callback, null, connection)
      return
    }
    this.#governor.stats.lost += 1
    governed.spoilt = true
    cut(connection)
    process.nextTick(() => this.#pool.getConnection(callback))
  }

  #withPatience(callback: ConnectionCallback): ConnectionCallback {
    const { acquireTimeoutMs } = this.#governor.options
    const patience = new AbortController()
    let over = false
    this.#clock.sleep(acquireTimeoutMs, patience.signal).then(
      () => {
        over = true
        const { _connectionQueue: queue, _allConnections: all } = this.#pool
        const { length } = all
        const place = indexIn(queue, patient)
        if (place >= 0) queue.removeOne(place)
        callback(this.#governor.busyError(acquireTimeoutMs, length, this.#pool.config.connectionLimit))
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
      callback(error, connection)
    }
    this.#patient.add(patient)
    return patient
  }

  async #open(callback: ConnectionCallback): Promise<void> {
    const opening = this.#places.enter()
    try {
      const attemptOnce = (attempt: Attempt): Promise<Opened<DriverConnection>> =>
        this.#attempt(opening, attempt)
      const { connection, governed } = await this.#governor.open(
        attemptOnce,
        opening.stop.signal,
        this.#target(),
      )
      this.#places.succeed(opening)
      watch(connection, governed, this.#governor)
      process.nextTick(callback, null, connection)
    } catch (error) {
      this.#places.giveUp(opening)
      if (error === OTHER_FREE) process.nextTick(() => this.#pool.getConnection(callback))
      else process.nextTick(callback, error)
    }
  }

  #target(): CredentialTarget {
    const { host = 'localhost', port = 3306 } = this.#pool.config.connectionConfig
    return { host, port, user: this.#user }
  }

  /** RDS gets TLS, verified, unless the application said what it wants. */
  async #secure(): Promise<void> {
    this.#pool.config.connectionConfig.ssl = await rdsTls()
  }

  #logInAs(credential: Credential): void {
    const isClearText = this.#governor.options.credentials?.isClearText === true
    const config = this.#pool.config.connectionConfig
    config.user = credential.user ?? this.#user
    if (isClearText) logInWithToken(config, credential.password)
    else config.password = credential.password
  }

  async #attempt(opening: Opening, attempt: Attempt): Promise<Opened<DriverConnection>> {
    const pool = this.#pool
    if (pool._closed) throw new Error(ENDED)
    if (pool._freeConnections.length > 0) {
      opening.stop.abort(OTHER_FREE)
      throw OTHER_FREE
    }
    if (this.#governor.options.lease !== 'off') {
      pool.config.connectionConfig.connectAttributes = labelled(this.#attributes, this.#governor, attempt)
    }
    if (this.#leavesTlsToUs && isRdsHost(this.#target().host)) await this.#secure()
    attempt.signal.throwIfAborted()
    if (attempt.credential !== undefined) this.#logInAs(attempt.credential)
    this.#places.leave(opening)
    const { signal } = attempt
    let opened: DriverConnection | undefined
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener(
        'abort',
        () => {
          if (opened !== undefined) cut(opened)
          this.#places.hold(opening)
          reject(signal.reason)
        },
        { once: true },
      )
    })
    aborted.catch(ignore)
    try {
      const connected = new Promise<void>((resolve, reject) => {
        this.#base.getConnection.call(this.#pool, (error) => {
          // The place is held at once, before the driver lets a waiting request open in it.
          if (error) {
            this.#places.hold(opening)
            reject(error)
          } else resolve()
        })
      })
      opened = pool._allConnections.get(pool._allConnections.length - 1) as DriverConnection
      opened.on('error', ignore)
      await Promise.race([connected, aborted])
      return await Promise.race([
        takeLease(opened, this.#governor, this.#dialect, attempt, this.#home),
        aborted,
      ])
    } catch (error) {
      if (opened !== undefined) cut(opened)
      this.#places.hold(opening)
      throw error
    }
  }

  #releaseConnection(connection: DriverConnection): void {
    const governed = governedOf(connection)
    if (governed !== undefined && connection._pool !== null) {
      if (governed.spoilt || isClosed(connection)) {
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
    if (governed !== undefined) {
      if (!governed.spoilt && !governed.checkedOut) {
        if (governed.lease.usable()) this.#governor.stats.lost += 1
        else this.#governor.stats.lapsed += 1
      }
      this.#governor.forget(governed)
    }
    this.#base._removeConnection.call(this.#pool, connection)
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
    this.#base.end.call(this.#pool, callback)
  }
}

function ignore(): void {}
