/** What is in a secret: a password, and often a user and an endpoint. */

import { type Credential, newCredential } from '../credentials.ts'
import { LeaseholdError } from '../errors.ts'

/** Names of the properties of a JSON secret. */
export interface SecretProperties {
  /** @defaultValue 'username' */
  readonly user?: string | undefined
  /** @defaultValue 'password' */
  readonly password?: string | undefined
  /** @defaultValue 'host' */
  readonly host?: string | undefined
  /** @defaultValue 'port' */
  readonly port?: string | undefined
  /** @defaultValue 'dbname' */
  readonly database?: string | undefined
}

/** Where the secret's database is; each `undefined` where the secret does not say. */
export interface SecretEndpoint {
  readonly host: string | undefined
  readonly port: number | undefined
  readonly database: string | undefined
}

export interface SecretValue {
  /** Its user is undefined where the secret has none: the pool's own is used then. */
  readonly credential: Credential
  readonly endpoint: SecretEndpoint
}

/**
 * Reads a secret: a JSON object, or else a plain password. RDS's own shapes are `username`, `password`,
 * `host`, `port` (a number or text), `dbname`, and for a password that RDS manages the first two.
 *
 * @param what how a message names the secret
 * @throws LeaseholdError `CREDENTIALS_INVALID`, with no part of the secret in it
 */
export function readSecret(text: string, properties: SecretProperties, what: string): SecretValue {
  const members = objectIn(text)
  if (members === undefined) {
    if (text === '') throw new LeaseholdError('CREDENTIALS_INVALID', `${what} is empty`)
    const nowhere = { host: undefined, port: undefined, database: undefined }
    return { credential: newCredential(undefined, text), endpoint: nowhere }
  }
  const textOf = (name: string): string | undefined => {
    const value = Object.hasOwn(members, name) ? members[name] : undefined
    return typeof value === 'string' && value !== '' ? value : undefined
  }
  const name = properties.password ?? 'password'
  const password = textOf(name)
  if (password === undefined) {
    throw new LeaseholdError(
      'CREDENTIALS_INVALID',
      `${what} has no text in \`${name}\`: where its password has another name, say so by \`properties\``,
    )
  }
  const port = properties.port ?? 'port'
  return {
    credential: newCredential(textOf(properties.user ?? 'username'), password),
    endpoint: {
      host: textOf(properties.host ?? 'host'),
      port: portOf(Object.hasOwn(members, port) ? members[port] : undefined),
      database: textOf(properties.database ?? 'dbname'),
    },
  }
}

/** The parser's own error would quote the secret. */
function objectIn(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

function portOf(value: unknown): number | undefined {
  const port = typeof value === 'string' && /^\d{1,5}$/.test(value) ? Number(value) : value
  return typeof port === 'number' && Number.isInteger(port) && port > 0 && port <= 65_535 ? port : undefined
}
