/** The server to look at, and how to log in to it: in the words of `createPool`. */

import type { Clock, CredentialSource, Env } from '@leasehold/core'

/** By protocol. MariaDB is told from MySQL once it answers. */
export type Protocol = 'postgresql' | 'mysql'

export interface Target {
  readonly protocol: Protocol
  /** As the application would give them to `createPool`: the driver's and ours, secrets among them. */
  readonly options: PoolOptions
}

export type PoolOptions = Readonly<Record<string, unknown>>

/** What is around the program: for what goes by the environment or the time. */
export interface Around {
  readonly env: Env
  readonly clock: Clock
}

/** What the application's options say of credentials; undefined where it is a plain password. */
export function sourceIn(options: PoolOptions): CredentialSource | undefined {
  return options['credentials'] as CredentialSource | undefined
}

/** `PostgreSQL`, or what speaks MySQL's protocol. */
export function protocolName(protocol: Protocol): string {
  return protocol === 'postgresql' ? 'PostgreSQL' : 'MySQL or MariaDB'
}
