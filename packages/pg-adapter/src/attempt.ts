/** The steps of one attempt to connect: where to, as whom, over what, and giving up in time. */

import {
  type Attempt,
  type Credential,
  type CredentialTarget,
  type Governor,
  isRdsHost,
  tlsRequired,
} from '@leasehold/core'

import type { DriverClient } from './driver.ts'
import { saysWhetherTls } from './options.ts'

export type ConnectCallback = (error: Error | null, client?: unknown) => void

export function targetOf({ connectionParameters }: DriverClient): CredentialTarget {
  const { host = 'localhost', port = 5432, user } = connectionParameters
  return { host, port, user }
}

/** RDS gets TLS, verified, unless the application said what it wants. */
export function needsRdsTls(client: DriverClient, config: unknown): boolean {
  const { host } = client.connectionParameters
  return !client.ssl && host !== undefined && isRdsHost(host) && !saysWhetherTls(config)
}

/** @throws LeaseholdError `TLS_REQUIRED` */
export function logInAs(client: DriverClient, governor: Governor, { user, password }: Credential): void {
  if (governor.options.credentials?.isClearText === true && !client.ssl) throw tlsRequired('ssl')
  client.password = password
  client.connectionParameters.password = password
  if (user === undefined) return
  client.user = user
  client.connectionParameters.user = user
}

/** @param connect the driver's own */
export function attemptOnce(
  client: DriverClient,
  connect: (callback: ConnectCallback) => void,
  attempt: Attempt,
): Promise<void> {
  const { signal } = attempt
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      // The error reaches the callback below by the driver's own way; if not, the caller's deadline holds.
      client.connection.stream.destroy(signal.reason as Error)
      reject(signal.reason)
    }
    if (signal.aborted) {
      reject(signal.reason)
      return
    }
    signal.addEventListener('abort', onAbort, { once: true })
    watchPhases(client, attempt)
    connect((error) => {
      signal.removeEventListener('abort', onAbort)
      if (error !== null && error !== undefined) {
        reject(error)
        return
      }
      attempt.reached('login')
      resolve()
    })
  })
}

/** The driver tells of the end of the connect alone; what lies between is seen on its connection. */
function watchPhases({ connection }: DriverClient, attempt: Attempt): void {
  connection.once('connect', () => attempt.reached('network'))
  // Said as soon as TLS begins.
  connection.once('sslconnect', () => {
    connection.stream.once('secureConnect', () => attempt.reached('tls'))
  })
}
