/**
 * Makes a `pg.Client` whose connect failed ready for another attempt. The driver's client connects
 * once; users and pools hold on to the object, so the object has to stay and its parts be renewed.
 */

import type { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'

import type { DriverClient, DriverConnection } from './driver.ts'
import { forgetActiveQuery } from './statement.ts'

type Listeners = ReadonlyMap<string | symbol, readonly ((...args: unknown[]) => void)[]>

/** What the client was like before its first attempt. */
export interface Unconnected {
  readonly listeners: Listeners
  readonly password: unknown
}

/** Remembers the listeners that others put on the connection (Sequelize does) and the password's source. */
export function rememberUnconnected(client: DriverClient): Unconnected {
  return { listeners: listenersOf(client.connection), password: client.password }
}

/**
 * Takes a failed attempt's sockets away from the client, so that their late events reach nobody.
 *
 * @param plain the socket that the attempt began with; with TLS the connection has another by now, and the
 *   driver still listens to both
 */
export function disarm(client: DriverClient, plain: Socket): void {
  const { connection } = client
  connection.removeAllListeners()
  connection.on('error', ignore)
  for (const stream of new Set([connection.stream, plain])) {
    stream.removeAllListeners()
    stream.on('error', ignore)
    stream.destroy()
  }
}

/**
 * @param fresh a connection of the driver's own making, never connected, from the same config
 */
export function rearm(client: DriverClient, before: Unconnected, fresh: DriverConnection): void {
  const { connection } = client
  connection.removeAllListeners()
  for (const [event, listeners] of before.listeners) {
    for (const listener of listeners) connection.on(event, listener)
  }
  connection.stream = fresh.stream
  connection._ending = false
  connection.parsedStatements = {}
  connection.submittedNamedStatements = {}
  client._ending = false
  client._ended = false
  client._connecting = false
  client._connected = false
  client._connectionError = false
  client._connectionCallback = null
  client._queryable = true
  client.readyForQuery = false
  forgetActiveQuery(client)
  client.saslSession = null
  client.processID = null
  client.secretKey = null
  // The driver overwrites a password function by the password it returned.
  client.password = before.password
  client.connectionParameters.password = before.password
}

/**
 * The password's source for one attempt. A function that is slow may answer when its attempt is over,
 * and the driver would send that answer down the next attempt's socket: before its TLS, even.
 */
export function passwordOf(before: Unconnected, isOver: () => boolean): unknown {
  const { password } = before
  if (typeof password !== 'function') return password
  return (...args: unknown[]) =>
    new Promise((resolve, reject) => {
      const answer = Promise.resolve().then(() => password(...args) as unknown)
      answer.then(
        (given) => isOver() || resolve(given),
        (error: unknown) => isOver() || reject(error),
      )
    })
}

/** No attempt is left: what a driver's client does when its only one has failed. */
export function abandon(client: DriverClient, error: unknown): void {
  client._queryable = false
  client._ended = true
  client._errorAllQueries(error)
  process.nextTick(() => client.emit('end'))
}

function listenersOf(emitter: EventEmitter): Listeners {
  return new Map(
    emitter
      .eventNames()
      .map((event) => [event, emitter.rawListeners(event) as ((...args: unknown[]) => void)[]] as const),
  )
}

function ignore(): void {}
