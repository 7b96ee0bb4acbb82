/** Logging in with a token that goes over the wire as it is: only inside TLS, by MySQL's clear-password plugin. */

import { TLSSocket } from 'node:tls'

import { type Credential, type Governor, tlsRequired } from '@leasehold/core'

import type { DriverConfig } from './driver.ts'

/**
 * Prepares the config of the next connection for what a source of credentials gave.
 *
 * @param user of the options; a secret may name another
 * @throws LeaseholdError `TLS_REQUIRED`
 */
export function logInAs(
  config: DriverConfig,
  { options }: Governor,
  credential: Credential,
  user: string | undefined,
): void {
  config.user = credential.user ?? user
  if (options.credentials?.isClearText === true) logInWithToken(config, credential.password)
  else config.password = credential.password
}

/**
 * Prepares the config of the next connection. The driver has no password function; its plugins may be
 * given by the application, and one for this method is not held back as the driver's own is.
 *
 * @throws LeaseholdError `TLS_REQUIRED`
 */
function logInWithToken(config: DriverConfig, token: string): void {
  if (!config.ssl) throw tlsRequired('ssl')
  delete config.password
  config.authPlugins = {
    ...config.authPlugins,
    mysql_clear_password:
      ({ connection }: { connection: { stream: unknown } }) =>
      () => {
        // A server asks for this method; it gets the token only where nobody else can read it.
        if (!(connection.stream instanceof TLSSocket) || !connection.stream.encrypted)
          throw tlsRequired('ssl')
        return Buffer.from(`${token}\0`)
      },
  }
}
