/** PostgreSQL's census: what its limits count, and the lease that this calls for, in one statement. */

import { type CensusAndLease, type LeaseStep, shareOfOthers, type SlotLimit, tightest } from '@leasehold/core'

// Every function and table is named with its schema: this runs with the rights of whoever logged in, and
// anybody who may create functions in a schema of the search path could put his own in the way.

const setting = (name: string): string => `pg_catalog.current_setting('${name}', true)::int`

/** What `max_connections` leaves to an ordinary login; RDS and Aurora reserve some more. */
export const SLOTS: string = `${setting('max_connections')} - ${setting('superuser_reserved_connections')}
    - coalesce(${setting('reserved_connections')}, 0)
    - coalesce(${setting('rds.rds_superuser_reserved_connections')}, 0)`

/**
 * Which backends take a slot. `datid` and `usesysid` stand for that, as the type of other roles'
 * backends is hidden; parallel workers have both and a leader, logical replication has places of its own.
 */
export const TAKES_SLOT = `datid is not null and usesysid is not null and leader_pid is null
    and pid not in (select pid from pg_catalog.pg_stat_get_wal_senders())`

const TAKEN = `pg_catalog.pg_stat_get_activity(null)
  where ${TAKES_SLOT}`

/** The state of other roles' backends is hidden. One operator does for all texts, see `wanted`. */
const COUNTS = `pg_catalog.count(*) as used,
    pg_catalog.count(state) as seen, pg_catalog.count(*) filter (where state like 'active') as busy,
    pg_catalog.string_agg(application_name, e'\\n') filter (where application_name like 'lh:%') as labels`

const SERVER = `select ${COUNTS} from ${TAKEN}`

/** The role by its session's user, as the server does. Once, not for each session: hence materialized. */
const OWN = `with own as materialized (
  select r.oid as login, rolconnlimit, d.oid as home, datconnlimit from pg_catalog.pg_roles r, pg_catalog.pg_database d
  where rolname = session_user and datname = pg_catalog.current_database())
`

/** With the two other limits. */
const EVERY_LIMIT = `select ${COUNTS},
    (select rolconnlimit from own) as login_slots, (select datconnlimit from own) as database_slots,
    pg_catalog.count(*) filter (where usesysid = (select login from own)) as login_used,
    pg_catalog.count(*) filter (where datid = (select home from own)) as database_used
  from ${TAKEN}`

const LIMITED = ['login', 'database'] as const

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const

/** Milliseconds as the server shows them: in the largest unit that leaves no fraction. */
function shown(ms: number): string {
  const unit = UNITS.find(([, unitMs]) => ms % unitMs === 0)
  if (ms === 0 || unit === undefined) return ms === 0 ? '0' : `${ms}ms`
  return `${ms / unit[1]}${unit[0]}`
}

/**
 * True on a session that still carries the lease that it was given: behind a pooler this "session" is
 * another's at the next statement.
 */
export function holds(leaseMs: number): string {
  return `pg_catalog.current_setting('idle_session_timeout', true) = '${shown(Math.round(leaseMs))}'`
}

/**
 * Thousandths of pressure and whole numbers throughout: a fresh backend looks up every function,
 * operator and cast that it meets for the first time.
 */
function wanted(leaseMs: number, ladder: readonly LeaseStep[], everyLimit: boolean): string {
  const over = ({ fromPressure }: LeaseStep): string => {
    const mille = Math.ceil(fromPressure * 1_000)
    const limits = [`used * 1000 >= ${mille} * slots`]
    // -1 is no limit, -2 a database that is being dropped.
    if (everyLimit) {
      for (const of of LIMITED)
        limits.push(`${of}_slots >= 0 and ${of}_used * 1000 >= ${mille} * ${of}_slots`)
    }
    return limits.join(' or ')
  }
  const full = { fromPressure: 1, leaseMs: ladder.at(-1)?.leaseMs ?? leaseMs }
  const steps = [full, ...ladder.slice(1).toReversed()]
  const cases = steps.map((step) => `when ${over(step)} then '${step.leaseMs}'`)
  return `case ${cases.join(' ')} else '${ladder[0]?.leaseMs ?? leaseMs}' end`
}

/** @param everyLimit counts against the role's and the database's limit, too */
export function censusAndLease(leaseMs: number, ladder: readonly LeaseStep[], everyLimit: boolean): string {
  const more = everyLimit ? ', login_used, login_slots, database_used, database_slots' : ''
  return `${everyLimit ? OWN : ''}select used, seen, busy, slots, labels${more},
  case when held then wanted end as lease,
  case when held then pg_catalog.set_config('idle_session_timeout', wanted, false) end
from (select *, ${wanted(leaseMs, ladder, everyLimit)} as wanted
  from (${everyLimit ? EVERY_LIMIT : SERVER}) c,
    (select ${SLOTS} as slots, ${holds(leaseMs)} as held) s) w`
}

type Row = Readonly<Record<string, unknown>>

function countIn(row: Row | undefined, name: string): number {
  // The driver gives counts as text, unless the application parses them as numbers or BigInt.
  const count = Number(row?.[name] ?? Number.NaN)
  if (!Number.isInteger(count)) throw new TypeError('the census did not return its one row of counts')
  return count
}

export function parseCensus(rows: readonly unknown[]): CensusAndLease {
  const row = rows[0] as Row | undefined
  const limits: [SlotLimit, ...SlotLimit[]] = [
    { of: 'server', usedCount: countIn(row, 'used'), slotCount: countIn(row, 'slots') },
  ]
  for (const of of LIMITED) {
    if (row?.[`${of}_slots`] === undefined) continue
    const slotCount = countIn(row, `${of}_slots`)
    if (slotCount >= 0) limits.push({ of, usedCount: countIn(row, `${of}_used`), slotCount })
  }
  return {
    census: {
      ...tightest(limits),
      busyShare: shareOfOthers(countIn(row, 'busy'), countIn(row, 'seen')),
      labels: typeof row?.['labels'] === 'string' ? row['labels'].split('\n') : [],
      refusedCount: undefined,
    },
    leaseMs: typeof row?.['lease'] === 'string' ? Number(row['lease']) : undefined,
  }
}

/** Whether the row tells of a limit besides the server's: undefined where it was not asked. */
export function otherLimits(rows: readonly unknown[]): boolean | undefined {
  const row = rows[0] as Row | undefined
  if (row?.['login_slots'] === undefined) return undefined
  return LIMITED.some((of) => Number(row[`${of}_slots`]) >= 0)
}
