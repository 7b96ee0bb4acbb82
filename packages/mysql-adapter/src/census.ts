/** The census of MySQL and MariaDB: what their limits count, as far as an ordinary login can see it. */

import { type CensusAndLease, type LeaseStep, shareOfOthers, type SlotLimit, tightest } from '@leasehold/core'

import { lockHead } from './recall-mark.ts'
import { askWaits, waitsIn } from './wait-locks.ts'

/** Where a server keeps what the census asks for. */
export interface CensusPlaces {
  /** The table of the server's counters. */
  readonly status: string
  /** The login's own sessions, one row each, while `performance_schema` is on; undefined where it has no such table. */
  readonly watched: string | undefined
  /** The same where it is off. MySQL takes a lock of all sessions for it, so it is not asked otherwise. */
  readonly unwatched: string
}

export const MYSQL_PLACES: CensusPlaces = {
  status: 'performance_schema.global_status',
  watched: 'performance_schema.processlist',
  unwatched: 'information_schema.processlist',
}

/** `performance_schema.processlist` came with 8.0.22. @param serverVersion as the handshake gives it */
export function mysqlPlaces(serverVersion: string): CensusPlaces {
  const [, minor, patch] = /^8\.(\d+)\.(\d+)/.exec(serverVersion) ?? []
  return minor === '0' && Number(patch) < 22 ? { ...MYSQL_PLACES, watched: undefined } : MYSQL_PLACES
}

export const MARIADB_PLACES: CensusPlaces = {
  status: 'information_schema.global_status',
  watched: 'information_schema.processlist',
  unwatched: 'information_schema.processlist',
}

/** What the last census of a pool said of its login and server; undefined before the first. */
export interface CensusSight {
  /** The login has a limit of its own, or shares the server's for each login. */
  limited: boolean | undefined
  performanceSchema: boolean | undefined
}

export function newCensusSight(): CensusSight {
  return { limited: undefined, performanceSchema: undefined }
}

/** SQL for the name of whoever logged in: without the host, in which there is no `@`. */
export const OWN_USER = "left(user(), char_length(user()) - locate('@', reverse(user())))"

/** By name: a login with PROCESS sees everybody's sessions, and the server's own threads. */
export function countOwn(list: string): string {
  return `(select count(*) from ${list} where user = ${OWN_USER})`
}

const COUNTERS = {
  used: 'Threads_connected',
  busy: 'Threads_running',
  refused: 'Connection_errors_max_connections',
} as const

/** Counting a login's sessions is dear on MariaDB, so it is done where they are limited, or may be. */
function ownCount(places: CensusPlaces, { limited, performanceSchema }: CensusSight): string {
  const table = performanceSchema === false ? places.unwatched : places.watched
  if (limited === false || table === undefined) return 'null'
  return countOwn(table)
}

/** Nobody has to wait on a server that is half empty. */
const WAITS_FROM_PRESSURE = 0.5

export function censusStatement(places: CensusPlaces, sight: CensusSight, fleet: string): string {
  const { used, busy, refused } = COUNTERS
  // One scan: to read its counters, the server sums them up over all sessions.
  const counter = (name: string): string => `max(if(variable_name = '${name}', variable_value, null))`
  const pressed = `@@max_user_connections > 0 or ${counter(used)} >= ${WAITS_FROM_PRESSURE} * @@max_connections`
  return `select ${counter(used)} as used, ${counter(busy)} as busy, ${counter(refused)} as refused,
  @@max_connections as slots, @@session.wait_timeout as lease,
  @@max_user_connections as login_slots, ${ownCount(places, sight)} as login_used,
  @@performance_schema as watched,
  if(${pressed}, ${askWaits(lockHead(fleet))}, null) as waits
from ${places.status} where variable_name in ('${used}', '${busy}', '${refused}')`
}

/**
 * The lease of a new session by the server's own count, in seconds; the shortest one for a login with a
 * limit of its own, until its first census counts against that.
 */
export function openingLease(
  places: CensusPlaces,
  ladder: readonly LeaseStep[],
  seconds: (leaseMs: number) => number,
): string {
  const of = (step: LeaseStep | undefined): number => seconds(step?.leaseMs ?? 0)
  const steps = ladder
    .slice(1)
    .toReversed()
    .map((step) => `when variable_value >= ${step.fromPressure} * @@max_connections then ${of(step)}`)
  return (
    `(select case when @@max_user_connections > 0 then ${of(ladder.at(-1))} ${steps.join(' ')} ` +
    `else ${of(ladder[0])} end from ${places.status} where variable_name = 'Threads_connected')`
  )
}

type Row = Readonly<Record<string, unknown>>

function count(row: Row | undefined, name: string): number | undefined {
  const value = Number(row?.[name] ?? Number.NaN)
  return Number.isInteger(value) ? value : undefined
}

/** Reads the one row of `censusStatement`, and notes what it says of the server. */
export function parseCensusRow(rows: readonly unknown[], sight: CensusSight): CensusAndLease {
  const row = rows[0] as Row | undefined
  const [usedCount, slotCount, leaseS] = [count(row, 'used'), count(row, 'slots'), count(row, 'lease')]
  if (usedCount === undefined || slotCount === undefined || leaseS === undefined) {
    throw new TypeError('the census did not return its one row of counts')
  }
  const limits: [SlotLimit, ...SlotLimit[]] = [{ of: 'server', usedCount, slotCount }]
  const loginSlots = count(row, 'login_slots') ?? 0
  sight.limited = loginSlots > 0
  sight.performanceSchema = count(row, 'watched') === 1
  const loginUsed = count(row, 'login_used')
  const busyCount = count(row, 'busy')
  // 0 without performance_schema, where not even the session that asks is seen.
  if (sight.limited && loginUsed !== undefined && loginUsed > 0) {
    limits.push({ of: 'login', usedCount: loginUsed, slotCount: loginSlots })
  }
  return {
    census: {
      ...tightest(limits),
      // The server shows those of one account from one client address, in which there is but one environment.
      labels: [],
      waitsMs: waitsIn(row?.['waits']),
      busyShare: busyCount === undefined ? undefined : shareOfOthers(busyCount, usedCount),
      refusedCount: count(row, 'refused'),
    },
    leaseMs: leaseS * 1_000,
  }
}
