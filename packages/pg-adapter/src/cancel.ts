/**
 * Stops one statement on the server: a cancel request over a short socket of its own, as the protocol has it.
 * The request names a session, not a statement. So nothing else is sent on that session until the request
 * has been dealt with, or it could stop what comes next.
 */

import { EventEmitter } from 'node:events'

import { type Clock, within } from '@leasehold/core'

import type { DriverClient, DriverConnection, DriverQuery } from './driver.ts'
import { activeQueryOf, queueOf } from './statement.ts'

const CANCEL_LIMIT_MS = 1_000

/** What cancelling needs of a client. */
export interface Cancellable extends DriverClient {
  /** A connection of the driver's own making, from the client's config, never connected. */
  freshConnection(): DriverConnection
  /** Sends nothing more until the result is called. */
  holdQueries(): () => void
}

/**
 * Resolves when the server has dealt with the request, or when there is nothing to stop. Rejects where it
 * could not be asked, and when `signal` aborts.
 */
export async function cancelQuery(
  client: Cancellable,
  query: DriverQuery | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (query === undefined) return
  const queue = queueOf(client)
  const place = queue.indexOf(query)
  if (place >= 0) {
    queue.splice(place, 1)
    query.handleError(new Error('taken from the queue before it was sent'), client.connection)
    return
  }
  if ((client._sentQueryQueue?.length ?? 0) > 0) {
    throw new Error('other statements are in the pipeline: the request could stop one of them')
  }
  const release = client.holdQueries()
  try {
    await request(client, () => activeQueryOf(client) === query, signal)
  } finally {
    release()
  }
}

/** Stops whatever runs on the client. Never rejects, and takes a second at most. */
export async function cancelRunning(client: Cancellable, clock: Clock): Promise<void> {
  const query = activeQueryOf(client)
  await within(clock, CANCEL_LIMIT_MS, 'cancelling', (signal) => cancelQuery(client, query, signal)).catch(
    () => undefined,
  )
}

/** A stream that is stopped may have nobody any more who hears of it, and unheard its error would end the process. */
function quieten(client: DriverClient): void {
  for (const query of [activeQueryOf(client), ...queueOf(client), ...(client._sentQueryQueue ?? [])]) {
    if (query instanceof EventEmitter) query.on('error', () => {})
  }
}

/** Stops what runs and says goodbye. Nothing that waits is sent. Resolves when the server has closed the session. */
export async function leave(client: Cancellable, clock: Clock): Promise<void> {
  if (activeQueryOf(client) !== undefined) {
    quieten(client)
    // From now on the driver refuses whatever it is given.
    client._ending = true
    for (const query of queueOf(client).splice(0)) {
      // In a turn of its own, as the driver does it: nobody may be there to hear the error.
      process.nextTick(() => query.handleError(new Error('Connection terminated'), client.connection))
    }
    await cancelRunning(client, clock)
  }
  await client.end()
}

function request(client: Cancellable, isRunning: () => boolean, signal: AbortSignal): Promise<void> {
  if (!isRunning()) return Promise.resolve()
  signal.throwIfAborted()
  const { processID, secretKey } = client
  if (processID === null || secretKey === null) throw new Error('the session has no key for cancelling')
  const connection = client.freshConnection()
  // As the session has it: verified in the same way, and in the clear only where the session is.
  connection.ssl = client.connection.ssl
  return new Promise((resolve, reject) => {
    let isSent = false
    const close = (): void => void connection.stream.destroy()
    const send = (): void => {
      isSent = isRunning()
      if (isSent) connection.cancel(processID, secretKey)
      else close()
    }
    const onAbort = (): void => {
      close()
      reject(signal.reason)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    // The server answers nothing: it closes the socket once it has passed the request on.
    connection.on('end', () => {
      signal.removeEventListener('abort', onAbort)
      resolve()
    })
    connection.on('error', (error) => {
      close()
      if (isSent) resolve()
      else reject(error)
    })
    connection.on('connect', () => {
      if (!connection.ssl) send()
      else if (connection.sslNegotiation !== 'direct') connection.requestSsl()
    })
    connection.on('sslconnect', () => connection.stream.once('secureConnect', send))
    connectToSameServer(client, connection)
  })
}

/** A name may lead to many servers, and only one of them has the session; the name is still what TLS verifies. */
function connectToSameServer(client: DriverClient, connection: DriverConnection): void {
  const { host, port } = client
  if (host.startsWith('/')) {
    connection.connect(`${host}/.s.PGSQL.${port}` as unknown as number, undefined as unknown as string)
    return
  }
  const { remoteAddress } = client.connection.stream
  const { stream } = connection
  if (remoteAddress !== undefined) {
    const connect = stream.connect.bind(stream) as (port: number, host: string) => typeof stream
    stream.connect = ((to: number) => connect(to, remoteAddress)) as typeof stream.connect
  }
  connection.connect(port, host)
}
