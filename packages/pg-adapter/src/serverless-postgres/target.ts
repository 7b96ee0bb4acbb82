/** What of a configuration makes another session necessary, and what only the next login needs. */

import { isDeepStrictEqual } from 'node:util'

import type { PoolOptions } from '../options.ts'
import type { GovernedPool } from '../pool-types.ts'
import type { ReadConfig } from './config.ts'

/** Whether sessions opened by one serve as sessions of the other: a password only logs in. */
export function isSameTarget(one: ReadConfig, other: ReadConfig): boolean {
  if (one.library !== other.library || !isDeepStrictEqual(one.waits, other.waits)) return false
  return isDeepStrictEqual(withoutPassword(one.pool), withoutPassword(other.pool))
}

function withoutPassword(given: PoolOptions): object {
  const options = { ...given, password: undefined }
  const { connectionString } = options
  if (connectionString === undefined || !URL.canParse(connectionString)) return options
  const url = new URL(connectionString)
  url.password = ''
  return { ...options, connectionString: url.href }
}

/** Gives a pool the credential for its next login; the driver reads a pool's options at every one. */
export function renewPassword(pool: GovernedPool, { password, connectionString }: PoolOptions): void {
  const options = pool.options as PoolOptions
  Object.defineProperty(options, 'password', {
    value: password,
    configurable: true,
    enumerable: false,
    writable: true,
  })
  if (connectionString !== undefined) options.connectionString = connectionString
}
