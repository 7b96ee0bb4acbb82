/** PostgreSQL 14 to 18 as the core sees it: SQL text, its one row, and what its errors mean. */

import type { Dialect, ErrorKind } from '@leasehold/core'

import { censusAndLease, holds, otherLimits, parseCensus } from './census.ts'
import { recall } from './recall.ts'

const KINDS: Readonly<Record<string, ErrorKind>> = {
  // too_many_connections: of the server, a role or a database; configuration_limit_exceeded: Aurora DSQL's rate.
  '53300': 'saturated',
  '53400': 'saturated',
  '28P01': 'auth',
  '25006': 'read-only',
  '57P01': 'lost',
  '57P02': 'lost',
  '57P05': 'lost',
  '25P03': 'lost',
  '25P04': 'lost',
  '08000': 'lost',
  '08003': 'lost',
  '08006': 'lost',
  ECONNRESET: 'lost',
  EPIPE: 'lost',
  ECONNABORTED: 'lost',
  '57P03': 'starting',
  ECONNREFUSED: 'starting',
  ETIMEDOUT: 'starting',
  EHOSTUNREACH: 'starting',
  ENETUNREACH: 'starting',
  EAI_AGAIN: 'starting',
  '40001': 'transient',
  '40P01': 'transient',
}

/** The driver gives these conditions no code. */
const LOST_TEXTS = [
  'Connection terminated unexpectedly',
  'Connection terminated',
  'Client has encountered a connection error and is not queryable',
  'Client was closed and is not queryable',
]

function textOf(error: unknown): string {
  const message = (error as { message?: unknown } | null | undefined)?.message
  return typeof message === 'string' ? message : ''
}

function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code
  return typeof code === 'string' ? code : undefined
}

function classify(error: unknown): ErrorKind {
  const code = codeOf(error)
  if (code === undefined) return LOST_TEXTS.includes(textOf(error)) ? 'lost' : 'fatal'
  // 28000 is a refused PAM login (IAM), but also a missing line in pg_hba.conf, which no credential mends.
  if (code === '28000') return textOf(error).includes('pg_hba.conf') ? 'fatal' : 'auth'
  // PgBouncer lost the session behind it, and has no SQLSTATE of its own for that.
  if (code === '08P01') return textOf(error) === 'server conn crashed?' ? 'lost' : 'fatal'
  return KINDS[code] ?? 'fatal'
}

function refusesLease(error: unknown): boolean {
  const text = textOf(error)
  switch (codeOf(error)) {
    case '42704': // undefined_object: a server before 14
      return text.includes('idle_session_timeout')
    case '08P01': // protocol_violation: PgBouncer's "unsupported startup parameter"
      return text.includes('startup parameter')
    case '0A000': // feature_not_supported: RDS Proxy's "command-line options"
      return text.includes('options')
    default:
      return false
  }
}

/** What the driver says where it never handed the statement to the socket. */
const UNSENT_TEXTS = [
  'Client has encountered a connection error and is not queryable',
  'Client was closed and is not queryable',
]

/** 57P05 ends a session only while the server waits for a statement. */
function provesUnread(error: unknown): boolean {
  const code = codeOf(error)
  return code === '57P05' || (code === undefined && UNSENT_TEXTS.includes(textOf(error)))
}

export const postgresDialect: Dialect = {
  engine: 'postgresql',
  leaseGranularityMs: 1,
  classify,
  refusesLease,
  provesUnread,
  begin: ({ isolation, readOnly }) => [
    `begin${isolation === undefined ? '' : ` isolation level ${isolation}`}${readOnly === true ? ' read only' : ''}`,
  ],
  // Here as below only a session that still carries the lease it was given is changed: behind a pooler this
  // "session" is another's at the next statement.
  setLease: (leaseMs, heldMs) =>
    `select pg_catalog.set_config('idle_session_timeout', '${Math.round(leaseMs)}', false) where ${holds(heldMs)}`,
  recall,
  censusAndLease: (leaseMs, ladder) => censusAndLease(leaseMs, ladder, true),
  parseCensus,
}

/** A login's own limits change seldom, and to look for them costs as much as the rest of a census. */
const LOOK_EVERY = 64

/** The dialect of one pool, which does not look in each census for limits that were not there. */
export function poolDialect(): Dialect {
  let lookIn = 0
  return {
    ...postgresDialect,
    censusAndLease: (leaseMs, ladder) => censusAndLease(leaseMs, ladder, lookIn <= 0),
    parseCensus(rows) {
      const others = otherLimits(rows)
      if (others === undefined) lookIn -= 1
      else lookIn = others ? 0 : LOOK_EVERY
      return parseCensus(rows)
    },
  }
}
