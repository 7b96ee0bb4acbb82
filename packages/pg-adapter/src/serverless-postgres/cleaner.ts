/**
 * `clean()`: ends idle sessions of the fleet where the server is fuller than it should be, as many as it takes
 * and no more. Decides by the last count, and counts when nobody waits for it.
 */

import { log } from 'node:console'

import { type FleetView, Moment, systemClock } from '@leasehold/core'

import type { GovernedPool } from '../pool-types.ts'
import type { CleanSettings } from './config.ts'

/** One for each session that was ended. */
export type Ended = { readonly pg_terminate_backend: boolean }

/** A label's head leaves at least so much of a name. */
const NAME_LENGTH = 15

/**
 * Counts, and ends the longest idle sessions of this login, database and label above the threshold, in one
 * statement: $1 slots that may be used, $2 most to end, $3 seconds idle, $4 label. One environment at a time.
 */
const END_IDLE = `with counted as materialized (
    select count(*) filter (where datid is not null and usesysid is not null and leader_pid is null)::int as used
    from pg_stat_get_activity(null)
  ), turn as materialized (
    select pg_try_advisory_xact_lock(hashtext('leasehold'), hashtext('clean')) as mine
  ), idle as materialized (
    select pid from pg_stat_activity
    where datname = current_database() and usename = current_user and state = 'idle'
      and application_name ~ $4 and pid <> pg_backend_pid()
      and state_change < clock_timestamp() - $3::float8 * interval '1 second'
    order by state_change
    limit (select case when mine then greatest(0, least($2::int, used - $1::int)) else 0 end from counted, turn)
  )
select used, (select count(*)::int from idle where pg_terminate_backend(pid)) as ended from counted`

export class Cleaner {
  #view: FleetView | undefined
  #countedAt: Moment | undefined

  /** @param pool of one, idle */
  async clean(pool: GovernedPool, settings: CleanSettings): Promise<Ended[] | undefined> {
    const view = this.#view
    if (view === undefined || view.usedCount <= allowedOf(view, settings)) {
      this.#countAfterwards(pool, settings)
      return undefined
    }
    const allowed = allowedOf(view, settings)
    // The statement counts the whole server again; against a login's or a database's own limit the census counted.
    const isServers = view.limit === undefined || view.limit === 'server'
    const excess = isServers ? view.usedCount : view.usedCount - allowed
    const most = Math.min(settings.mostToEnd ?? excess, excess)
    const values = [allowed, Math.floor(most), settings.minIdleSec, labelOf(settings)]
    try {
      const { rows } = await pool.query<{ used: number; ended: number }>(END_IDLE, values)
      const { used = view.usedCount, ended = 0 } = rows[0] ?? {}
      this.#view = { ...view, usedCount: (isServers ? used : view.usedCount) - ended }
      if (settings.debug) log(`leasehold: ${used} slots used, ${ended} idle sessions ended`)
      return Array.from({ length: ended }, () => ({ pg_terminate_backend: true }))
    } catch {
      // Cleaning is not the request's business; leases end idle sessions without it.
      this.#view = undefined
      return undefined
    }
  }

  #countAfterwards(pool: GovernedPool, { countFreqMs, debug }: CleanSettings): void {
    if (this.#countedAt !== undefined && this.#countedAt.elapsedMs(systemClock) < countFreqMs) return
    this.#countedAt = new Moment(systemClock)
    void pool.leasehold.census().then((view) => {
      this.#view = view ?? this.#view
      if (debug && view !== undefined) log(`leasehold: ${view.usedCount} of ${view.slotCount} slots used`)
    })
  }
}

function allowedOf({ slotCount }: FleetView, { maxConnections, utilization }: CleanSettings): number {
  return Math.floor(Math.min(slotCount, maxConnections ?? slotCount) * utilization)
}

/** Matches the labels of this fleet's sessions with this name, and no session that nobody governs. */
function labelOf({ fleet, applicationName }: CleanSettings): string {
  const name = applicationName.replaceAll(/[^\x21-\x7e]/g, '?')
  // What follows may be cut off anywhere.
  const rest = name
    .slice(NAME_LENGTH)
    .split('')
    .reduceRight((after, next) => `(${literal(next)}${after})?`, '')
  return `^lh:${literal(fleet)}:[0-9]+:[0-9a-z.]+:${literal(name.slice(0, NAME_LENGTH))}${rest}$`
}

function literal(text: string): string {
  return text.replaceAll(/[^\w]/g, (character) => `\\${character}`)
}
