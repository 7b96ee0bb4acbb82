/** What an error means, by the adapter of the protocol. */

import { type ErrorKind, LeaseholdError } from '@leasehold/core'
import { classify as classifyMysql } from '@leasehold/mysql-adapter'
import { postgresDialect } from '@leasehold/pg-adapter'

import type { Protocol } from './target.ts'

export function kindOf(protocol: Protocol, error: unknown): ErrorKind {
  if (LeaseholdError.is(error)) return 'fatal'
  return protocol === 'postgresql' ? postgresDialect.classify(error) : classifyMysql(error)
}
