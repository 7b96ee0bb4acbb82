/** Opens the connections of a pool: attempt after attempt, each inside the driver's own `getConnection`. */

import type { Socket } from 'node:net'

import {
  type Attempt,
  type CredentialTarget,
  type Governor,
  isRdsHost,
  type Opened,
  rdsTls,
} from '@leasehold/core'

import { leaving } from './cancel.ts'
import { copyOf } from './config.ts'
import type { PoolDialect } from './dialect.ts'
import type { ConnectionCallback, DriverConnection, DriverPool } from './driver.ts'
import { cut, labelled, takeLease, takeSession } from './governed-connection.ts'
import { isHeardByKnock, knock } from './knock.ts'
import { limitStatements } from './limited-query.ts'
import { type Opening, OTHER_FREE, type Places } from './places.ts'
import { mendConnection } from './promise-faces.ts'
import { hideSecretsOf } from './secrets.ts'
import { type ConnectionHome, sessionOf } from './session.ts'
import { governStreams } from './streams.ts'
import { shareContext } from './tls.ts'
import { logInAs } from './token.ts'

export const ENDED = 'Pool is closed.'

export interface OpenerParts {
  readonly pool: DriverPool
  readonly governor: Governor
  readonly dialect: PoolDialect
  readonly places: Places
  readonly home: ConnectionHome
  /** The application said nothing about TLS. */
  readonly leavesTlsToUs: boolean
  /** The driver's own. */
  readonly getConnection: DriverPool['getConnection']
}

export class Opener {
  readonly #parts: OpenerParts
  readonly #attributes: Record<string, string> | undefined
  /** The user of the options; a secret may name another. */
  readonly #user: string | undefined

  constructor(parts: OpenerParts) {
    this.#parts = parts
    const { connectAttributes, user } = parts.pool.config.connectionConfig
    this.#attributes = connectAttributes
    this.#user = user
  }

  async open(callback: ConnectionCallback): Promise<void> {
    const { governor, places, pool } = this.#parts
    const opening = places.enter()
    try {
      let lastError: unknown
      const attemptOnce = async (attempt: Attempt): Promise<Opened<DriverConnection>> => {
        try {
          return await this.#attempt(opening, attempt, lastError)
        } catch (error) {
          lastError = error
          throw error
        }
      }
      const { connection, governed } = await governor.open(attemptOnce, opening.stop.signal, this.#target())
      places.succeed(opening)
      sessionOf(connection)?.watch(governed)
      process.nextTick(callback, null, connection)
    } catch (error) {
      places.giveUp(opening)
      if (error === OTHER_FREE) process.nextTick(() => pool.getConnection(callback))
      else process.nextTick(callback, error)
    }
  }

  #target(): CredentialTarget {
    const { host = 'localhost', port = 3306 } = this.#parts.pool.config.connectionConfig
    return { host, port, user: this.#user }
  }

  /** @param lastError of the attempt before; undefined in the first */
  async #attempt(opening: Opening, attempt: Attempt, lastError: unknown): Promise<Opened<DriverConnection>> {
    const { governor, leavesTlsToUs, places, pool } = this.#parts
    const { connectionConfig: config } = pool.config
    if (pool._closed) throw new Error(ENDED)
    if (pool._freeConnections.length > 0) {
      opening.stop.abort(OTHER_FREE)
      throw OTHER_FREE
    }
    // RDS gets TLS, verified, unless the application said what it wants.
    if (leavesTlsToUs && isRdsHost(this.#target().host)) config.ssl = await rdsTls()
    attempt.signal.throwIfAborted()
    const answer = isHeardByKnock(lastError, config) ? await knock(config, attempt.signal) : undefined
    if (answer === 'full') throw lastError
    if (attempt.signal.aborted) answer?.destroy()
    attempt.signal.throwIfAborted()
    // All openings share this config: from here on nothing is awaited until the driver has read it.
    if (governor.options.lease !== 'off') {
      config.connectAttributes = labelled(this.#attributes, governor, attempt)
    }
    if (attempt.credential !== undefined) logInAs(config, governor, attempt.credential, this.#user)
    places.leave(opening)
    return this.#connect(opening, attempt, answer)
  }

  /** @param socket that the server has greeted already */
  async #connect(
    opening: Opening,
    attempt: Attempt,
    socket: Socket | undefined,
  ): Promise<Opened<DriverConnection>> {
    const { dialect, getConnection, governor, home, places, pool } = this.#parts
    const { signal } = attempt
    let opened: DriverConnection | undefined
    const aborted = new Promise<never>((_, reject) => {
      const onAbort = (): void => {
        if (opened !== undefined) cut(opened)
        places.hold(opening)
        reject(signal.reason)
      }
      signal.addEventListener('abort', onAbort, { once: true })
    })
    aborted.catch(ignore)
    try {
      const { connectionConfig } = pool.config
      const connected = new Promise<void>((resolve, reject) => {
        if (socket !== undefined) connectionConfig.stream = socket
        getConnection.call(pool, (error) => {
          // The place is held at once, before the driver lets a waiting request open in it.
          if (error) {
            places.hold(opening)
            reject(error)
          } else resolve()
        })
      })
      if (socket !== undefined) connectionConfig.stream = undefined
      opened = pool._allConnections.get(pool._allConnections.length - 1) as DriverConnection
      opening.connecting = opened
      // Older drivers share the pool's, which the next attempt changes while this one has yet to log in.
      if (opened.config === pool.config.connectionConfig) opened.config = copyOf(opened.config)
      // It has its socket: who makes another connection by this config is not to take the same one.
      if (socket !== undefined) opened.config.stream = undefined
      opened.on('error', ignore)
      hideSecretsOf(opened)
      shareContext(opened)
      mendConnection(opened)
      watchPhases(opened, attempt)
      if (socket !== undefined) {
        attempt.reached('network')
        socket.resume()
      }
      limitStatements(opened, governor)
      governStreams(opened, governor)
      await Promise.race([connected, aborted])
      attempt.reached('login')
      const session = takeSession(opened, governor, home, leaving(opened, governor))
      const lease = await Promise.race([takeLease(opened, session, dialect, attempt), aborted])
      if (lease.leaseMs !== undefined) attempt.reached('census')
      if (governor.options.onSession !== undefined) {
        await Promise.race([governor.prepareSession(opened.promise(), signal), aborted])
      }
      return lease
    } catch (error) {
      if (opened !== undefined) cut(opened)
      places.hold(opening)
      throw error
    }
  }
}

/** The driver tells of the end of the connect alone; what lies between is seen on the connection. */
function watchPhases(connection: DriverConnection, attempt: Attempt): void {
  connection.stream.once('connect', () => attempt.reached('network'))
  const { startTLS } = connection
  connection.startTLS = (onSecure) =>
    startTLS.call(connection, (error) => {
      if (error === undefined) attempt.reached('tls')
      onSecure(error)
    })
}

function ignore(): void {}
