/** TLS of a connection: towards RDS by default, and with older drivers as newer ones do it. */

import { isIP } from 'node:net'
import { checkServerIdentity, connect, createSecureContext, type SecureContextOptions } from 'node:tls'

import { isRdsHost, type RdsTls, rdsTls } from '@leasehold/core'

import type { DriverConnection } from './driver.ts'

type Tls = SecureContextOptions &
  Partial<Pick<RdsTls, 'secureContext' | 'rejectUnauthorized' | 'verifyIdentity'>>

/**
 * Lets a connection share the process's context. Drivers up to 3.24.0 parse every authority again for each
 * connection, and the oldest leave `stream` at the plain socket, so that nobody can tell whether a token
 * would be safe. To be called before the server's greeting is read.
 */
export function shareContext(connection: DriverConnection): void {
  // Newer ones have a function of its own for it, which keeps context and sessions for an `ssl` object.
  if (!String(connection.startTLS).includes('createSecureContext')) return
  connection.startTLS = (onSecure) => startTls(connection, onSecure)
}

/** The driver's own steps, but for the context and the stream. */
function startTls(connection: DriverConnection, onSecure: (error?: Error) => void): void {
  const { host = '' } = connection.config
  const tls = connection.config.ssl as Tls
  const { rejectUnauthorized = true, verifyIdentity, secureContext = createSecureContext(tls) } = tls
  const plain = connection.stream
  plain.removeAllListeners('data')
  let isSecure = false
  const secure = connect(
    {
      socket: plain,
      host,
      ...(isIP(host) === 0 ? { servername: host } : {}),
      secureContext,
      rejectUnauthorized,
      checkServerIdentity: verifyIdentity ? checkServerIdentity : () => undefined,
    },
    () => {
      isSecure = true
      onSecure()
    },
  )
  secure.on('error', (error) => {
    if (isSecure) connection._handleNetworkError(error)
    else onSecure(error)
  })
  secure.on('data', (data) => connection.packetParser.execute(data))
  connection.stream = secure
}

/**
 * A connection outside a pool is under way as soon as it is made. What the server says is not read until
 * TLS is ready: nothing is sent before.
 */
export function secureWhenRds(connection: DriverConnection): void {
  const { host = '' } = connection.config
  if (!isRdsHost(host)) return
  const { stream } = connection
  stream.pause()
  rdsTls().then(
    (tls) => {
      connection.config.ssl = tls
      stream.resume()
    },
    (error: unknown) => stream.destroy(error as Error),
  )
}
