/** Asks a server for its limit, what it keeps of it, and who else is on it. */

import { codeOf, type Engine, within } from '@leasehold/core'

import type { Io } from '../io.ts'
import { sessionsLook } from '../sessions/look.ts'
import { connector } from '../target/connector.ts'
import type { Connector, Row } from '../target/session.ts'
import { protocolName, type Target } from '../target/target.ts'

export interface ServerLimit {
  readonly engine: Engine
  readonly maxConnections: number
  readonly reservedCount: number
  /** Of the login or its database; undefined where neither has one. */
  readonly loginLimitCount: number | undefined
  /** Sessions that nobody governs, at this moment. */
  readonly otherCount: number
}

const PATIENCE_MS = 15_000

const POSTGRESQL = `select max_connections, superuser_reserved + coalesce(reserved, 0) + coalesce(rds_reserved, 0) as reserved_count,
  (select nullif(rolconnlimit, -1) from pg_roles where rolname = session_user) as login_limit,
  (select nullif(datconnlimit, -1) from pg_database where datname = current_database()) as database_limit
from (select current_setting('max_connections')::int as max_connections,
  current_setting('superuser_reserved_connections')::int as superuser_reserved,
  current_setting('reserved_connections', true)::int as reserved,
  current_setting('rds.rds_superuser_reserved_connections', true)::int as rds_reserved) s`

/** 0 is no limit there. */
function onMysql(engine: Engine): string {
  const place = engine === 'mysql' ? 'performance_schema' : 'information_schema'
  return `select @@max_connections as max_connections, nullif(@@session.max_user_connections, 0) as login_limit,
  (select variable_value from ${place}.global_status where variable_name = 'Threads_connected') as used`
}

/** Takes one slot for a moment. */
export async function limitOfServer(target: Target, { clock }: Io): Promise<ServerLimit> {
  const governance = {
    most: 1,
    name: 'plan',
    fleet: 'leasehold-plan',
    reap: false,
    acquireTimeoutMs: PATIENCE_MS,
  }
  const pool = connector(target.protocol, target.options, governance)
  try {
    const what = `the limit of ${protocolName(target.protocol)}`
    return await within(clock, PATIENCE_MS, what, () => asked(pool))
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new Error(
      `the server could not be asked for its limit (${codeOf(error)}): ${why}. \`leasehold doctor\` finds out more; --max-connections plans without it.`,
      { cause: error },
    )
  } finally {
    await pool.end()
  }
}

async function asked(pool: Connector): Promise<ServerLimit> {
  const session = await pool.connect()
  const { engine } = session
  try {
    const [row = {}] = await session.run(engine === 'postgresql' ? POSTGRESQL : onMysql(engine))
    const sessions = await sessionsLook()(engine, (statement) => session.run(statement))
    const governed = sessions.filter(({ fleet, own }) => own || fleet !== undefined).length
    const limits = [count(row, 'login_limit'), count(row, 'database_limit')].filter(
      (each) => each !== undefined,
    )
    return {
      engine,
      maxConnections: count(row, 'max_connections') ?? 0,
      reservedCount: count(row, 'reserved_count') ?? 0,
      loginLimitCount: limits.length === 0 ? undefined : Math.min(...limits),
      otherCount: Math.max(0, (count(row, 'used') ?? sessions.length) - governed),
    }
  } finally {
    session.release()
  }
}

function count(row: Row, name: string): number | undefined {
  const value = row[name]
  return value === null || value === undefined ? undefined : Number(value)
}
