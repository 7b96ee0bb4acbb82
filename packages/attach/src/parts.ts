/** What attachment to each kind of class needs of its surroundings. */

import type { LeaseholdOptions } from '@leasehold/core'
import type * as mysqlAdapter from '@leasehold/mysql-adapter/govern'
import type * as pgAdapter from '@leasehold/pg-adapter/govern'

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

/** Whether TLS has to be on, whatever the driver's options say of it: a token goes over the wire as it is. */
export function needsTls({ credentials }: LeaseholdOptions): boolean {
  return credentials?.isClearText === true
}
