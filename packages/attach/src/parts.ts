/** What attachment to each kind of class needs of its surroundings. */

import { types } from 'node:util'

import type { LeaseholdOptions } from '@leasehold/core'
import type * as mysqlAdapter from '@leasehold/mysql-adapter/govern'
import type * as pgAdapter from '@leasehold/pg-adapter/govern'

import { type Methods, UNCHANGED } from './graft.ts'
import type { Kind } from './shapes.ts'

export interface Parts {
  /** Of what is adopted now. */
  readonly options: () => LeaseholdOptions
  /** No pool grows beyond this; undefined leaves it to the application. */
  readonly maxConnections: number | undefined
  /** Loads the adapter, without its driver. @throws where it is not installed */
  pgAdapter(): typeof pgAdapter
  /** The same. */
  mysqlAdapter(): typeof mysqlAdapter
  /** One more is governed. */
  governed(kind: Kind): void
  /** What of the environment's wishes one of them has not; said once. */
  leftOut(kind: Kind, what: string): void
  /** One is left as it is; said once for each kind. */
  leftAlone(kind: Kind, because: unknown): void
}

/** Runs `adopt`, and tells what came of it; never throws. An object that cannot be governed stays as it is. */
export function adopting(parts: Parts, kind: Kind, adopt: () => Methods): Methods {
  try {
    const methods = adopt()
    parts.governed(kind)
    return methods
  } catch (error) {
    parts.leftAlone(kind, error)
    return UNCHANGED
  }
}

/** A class's private members come to be on the object that is asked, and would be sought on the one behind it. */
export function refuseProxy(object: object): void {
  if (types.isProxy(object)) throw new Error('it is behind a Proxy')
}

/**
 * The `ssl` of a driver as the application has it, on or off; undefined, which leaves it to the adapter, where it is off
 * and a token would go over the wire as it is.
 */
export function tlsAsGiven(ssl: unknown, { credentials }: LeaseholdOptions): unknown {
  if (ssl) return ssl
  return credentials?.isClearText === true ? undefined : false
}

/** In the place of what an adapter is given and does not call. */
export function nobody(): never {
  throw new Error('there is nothing to make')
}
