/** How PostgreSQL ends the fleet's longest-idle sessions: one statement that looks, chooses and ends. */

import type { LimitOf, RecallAsk, RecallPlan } from '@leasehold/core'

import { SLOTS, TAKES_SLOT } from './census.ts'

/** Where the label says that the session may be recalled, and after how many tenths of a second. */
const IDLE_IN_LABEL = String.raw`'^lh:[^:]+:[0-9]+:[0-9a-z]+[.]([0-9]{1,5})[.][0-9]{1,5}:'`

interface LimitInSql {
  /** Selects how many it allows; negative where there is no such limit (any more). */
  readonly slots: string
  /** Whether a row of `pg_stat_activity` counts against it. */
  readonly counts: string
}

const LIMITS: Readonly<Record<LimitOf, LimitInSql>> = {
  server: { slots: `select ${SLOTS}`, counts: 'true' },
  login: {
    slots: 'select rolconnlimit from pg_catalog.pg_roles where rolname = session_user',
    counts: 'usename = session_user',
  },
  database: {
    slots: 'select datconnlimit from pg_catalog.pg_database where datname = pg_catalog.current_database()',
    counts: 'datname = pg_catalog.current_database()',
  },
}

/**
 * The lock lasts as long as the statement, so a reaper that is frozen blocks nobody. It is one lock a
 * database, as all of them are. Operands have the very types of the server's own operators, so that no
 * operator of somebody else's fits better.
 */
export function* recall(asked: RecallAsk): RecallPlan {
  const { fleet, terms, mostCount, limit, abovePressure } = asked
  const { slots, counts } = LIMITS[limit]
  // Letters, digits, `_`, `.` and `-`: nothing to escape.
  const own = `'lh:${fleet}:'`
  const rows = yield `with reaper as materialized (
  select pg_catalog.pg_try_advisory_xact_lock(
    pg_catalog.hashtext('leasehold recall'), pg_catalog.hashtext(${own})) as alone
), seen as materialized (
  select * from pg_catalog.pg_stat_activity where (select alone from reaper)
), allowed as materialized (
  select (${slots}) as slots
), chosen as materialized (
  select pid from seen
  where usename = session_user and pid <> pg_catalog.pg_backend_pid() and backend_type = 'client backend'
    and state = 'idle' and pg_catalog.starts_with(application_name, ${own}) and ${counts}
    and state_change < pg_catalog.clock_timestamp() - greatest(
      substring(application_name from ${IDLE_IN_LABEL})::float8 * interval '100 ms',
      interval '${terms.afterIdleMs} ms')
    and substring(application_name from ${IDLE_IN_LABEL}) is not null
  order by state_change
  limit (select case when (select slots from allowed) >= 0 then greatest(0, least(${mostCount},
      pg_catalog.count(*) - pg_catalog.floor(${abovePressure}::numeric * (select slots from allowed)::numeric)::int8))
      else 0 end
    from seen where ${TAKES_SLOT} and ${counts})
)
select (select alone from reaper) as alone,
  (select pg_catalog.count(*) filter (where pg_catalog.pg_terminate_backend(pid)) from chosen)::int as ended`
  const row = rows[0] as { alone?: unknown; ended?: unknown } | undefined
  return { endedCount: Number(row?.ended ?? 0), busy: row?.alone !== true }
}
