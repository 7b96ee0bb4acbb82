/** How PostgreSQL ends the fleet's longest-idle sessions: one statement that looks, chooses and ends. */

import type { RecallAsk, RecallPlan } from '@leasehold/core'

/** Where the label says that the session may be recalled, and after how many tenths of a second. */
const IDLE_IN_LABEL = String.raw`'^lh:[^:]+:[0-9]+:[0-9a-z]+[.]([0-9]{1,5})[.][0-9]{1,5}:'`

/**
 * The lock lasts as long as the statement, so a reaper that is frozen blocks nobody. It is one lock a
 * database, as all of them are.
 *
 * @param slots the SQL for how many slots there are
 */
export function* recall(asked: RecallAsk, slots: string): RecallPlan {
  const { fleet, terms, mostCount, abovePressure } = asked
  // Letters, digits, `_`, `.` and `-`: nothing to escape.
  const own = `'lh:${fleet}:'`
  const rows = yield `with reaper as materialized (
  select pg_try_advisory_xact_lock(hashtext('leasehold recall'), hashtext(${own})) as alone
), seen as materialized (
  select * from pg_stat_activity where (select alone from reaper)
), chosen as materialized (
  select pid from seen
  where usename = session_user and pid <> pg_backend_pid() and backend_type = 'client backend'
    and state = 'idle' and starts_with(application_name, ${own})
    and state_change < clock_timestamp() - greatest(
      substring(application_name from ${IDLE_IN_LABEL})::int * interval '100 ms', interval '${terms.afterIdleMs} ms')
    and substring(application_name from ${IDLE_IN_LABEL}) is not null
  order by state_change
  limit (select greatest(0, least(${mostCount}, count(*) - floor(${abovePressure} * (${slots})))) from seen
    where datid is not null and usesysid is not null and leader_pid is null)
)
select (select alone from reaper) as alone,
  (select count(*) filter (where pg_terminate_backend(pid)) from chosen)::int as ended`
  const row = rows[0] as { alone?: unknown; ended?: unknown } | undefined
  return { endedCount: Number(row?.ended ?? 0), busy: row?.alone !== true }
}
