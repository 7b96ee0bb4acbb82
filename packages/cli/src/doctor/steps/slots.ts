/** How many slots there are, and what is reserved. Facts alone: what they mean depends on who comes. */

import type { Engine } from '@leasehold/core'

import { runOn } from '../../target/connector.ts'
import type { Examination } from '../examination.ts'
import { type Facts, fine, goOn, skipped, type StepOutcome } from '../finding.ts'

const POSTGRESQL = `select current_setting('max_connections')::int as max_connections,
  current_setting('superuser_reserved_connections')::int as superuser_reserved,
  coalesce(current_setting('reserved_connections', true)::int, 0) as reserved,
  coalesce(current_setting('rds.rds_superuser_reserved_connections', true)::int, 0) as rds_reserved,
  (select rolconnlimit from pg_roles where rolname = session_user) as login_limit,
  (select datconnlimit from pg_database where datname = current_database()) as database_limit`

/** 0 is no limit there, as -1 is for PostgreSQL. */
const MYSQL = `select @@max_connections as max_connections,
  if(@@session.max_user_connections = 0, -1, @@session.max_user_connections) as login_limit`

const STATEMENTS: Readonly<Record<Engine, string>> = { postgresql: POSTGRESQL, mysql: MYSQL, mariadb: MYSQL }

export async function examineSlots(examination: Examination): Promise<StepOutcome> {
  const { engine = 'postgresql', pool, view } = examination
  if (view === undefined) return goOn(skipped('there is no census to read'))
  const [row = {}] = await examination.within('the limits', () => runOn(pool, STATEMENTS[engine]))
  const count = (name: string): number => Number(row[name] ?? 0)
  const reservedCount = count('superuser_reserved') + count('reserved') + count('rds_reserved')
  const limits = (['login', 'database'] as const).flatMap((of) => {
    const value = row[`${of}_limit`]
    return value === undefined || value === null || Number(value) < 0
      ? []
      : [`${Number(value)} for this ${of}`]
  })
  const own = limits.length === 0 ? '' : `; and no more than ${limits.join(', ')}`
  const reserved = reservedCount > 0 ? `, ${reservedCount} of ${count('max_connections')} reserved` : ''
  const { freeCount, limit, slotCount } = view
  const facts: Facts = {
    maxConnections: count('max_connections'),
    reservedCount,
    slotCount,
    freeCount,
    limitOf: limit,
  }
  const slots = count('max_connections') - reservedCount
  return goOn(fine(`${slots} slots${reserved}${own}; ${freeCount ?? 0} free for this login`, facts))
}
