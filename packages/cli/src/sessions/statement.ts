/** The sessions of a server, as an ordinary login sees them: one statement for each engine, and how its rows read. */

import { type Engine, parseLabel } from '@leasehold/core'

import type { Row } from '../target/session.ts'

/** `hidden`: another login's, whose state the server does not show to this one. */
export type SessionState = 'active' | 'in transaction' | 'idle' | 'starting' | 'hidden'

export interface ServerSession {
  readonly id: number
  readonly user: string
  readonly database: string | undefined
  /** Undefined of a session that nobody governs, or whose label the server does not show. */
  readonly fleet: string | undefined
  /** The function's or program's. */
  readonly name: string | undefined
  readonly state: SessionState
  /** Since when it has been in that state, in milliseconds; undefined where the server does not tell. */
  readonly stateMs: number | undefined
  /** Since it was opened, by its own clock where the server does not tell. */
  readonly ageMs: number | undefined
  /** How long it had to wait for its slot, as it says itself. */
  readonly waitedMs: number | undefined
  /** The one that looks. */
  readonly own: boolean
}

/** Other roles' `state` and times are hidden, their `application_name` is not. */
const POSTGRESQL = `select pid as id, usename as user_name, datname as database_name, application_name as label,
  application_name as program, state, pid = pg_backend_pid() as own,
  extract(epoch from clock_timestamp() - state_change) * 1000 as state_ms,
  extract(epoch from clock_timestamp() - backend_start) * 1000 as age_ms,
  extract(epoch from clock_timestamp()) * 1000 as now_ms
from pg_stat_activity
where datid is not null and usesysid is not null and leader_pid is null
  and pid not in (select pid from pg_stat_get_wal_senders())`

/** What this login may see of a MySQL or MariaDB. */
export interface MysqlSight {
  /** Open transactions: needs PROCESS. */
  readonly transactions: boolean
  /** MySQL: `performance_schema` is on. */
  readonly watched: boolean
}

function onMysql(engine: 'mysql' | 'mariadb', { transactions, watched }: MysqlSight): string {
  // MySQL takes a lock of all sessions for the other table.
  const list = `${engine === 'mysql' && watched ? 'performance_schema' : 'information_schema'}.processlist`
  const stateMs = engine === 'mysql' ? '1000 * p.time' : 'p.time_ms'
  const attribute = (name: string, alias: string): string =>
    `left join performance_schema.session_account_connect_attrs ${alias}
    on ${alias}.processlist_id = p.id and ${alias}.attr_name = '${name}'`
  const open = transactions
    ? 'p.id in (select trx_mysql_thread_id from information_schema.innodb_trx)'
    : 'null'
  return `select p.id as id, p.user as user_name, p.db as database_name, l.attr_value as label,
  n.attr_value as program, p.command as state, p.id = connection_id() as own, ${stateMs} as state_ms,
  null as age_ms, 1000 * unix_timestamp(sysdate(3)) as now_ms, ${open} as is_open
from ${list} p ${attribute('leasehold', 'l')} ${attribute('program_name', 'n')}
where p.command not in ('Daemon', 'Binlog Dump', 'Binlog Dump GTID')`
}

export function sessionsStatement(engine: Engine, sight: MysqlSight): string {
  return engine === 'postgresql' ? POSTGRESQL : onMysql(engine, sight)
}

export function readSessions(rows: readonly Row[]): ServerSession[] {
  return rows.map((row) => {
    const text = textIn(row, 'label')
    const label = text === undefined ? undefined : parseLabel(text)
    const nowMs = numberIn(row, 'now_ms') ?? 0
    const byLabelMs = label === undefined ? undefined : Math.max(0, nowMs - label.openedEpochMs)
    return {
      id: Number(row['id']),
      user: plain(textIn(row, 'user_name') ?? ''),
      database: plainIn(row, 'database_name'),
      fleet: label?.fleet,
      name: label === undefined ? plainIn(row, 'program') : plain(label.name),
      state: stateOf(row),
      stateMs: numberIn(row, 'state_ms'),
      ageMs: numberIn(row, 'age_ms') ?? byLabelMs,
      waitedMs: label?.waitedMs,
      own: Number(row['own']) === 1 || row['own'] === true,
    }
  })
}

function stateOf(row: Row): SessionState {
  const state = textIn(row, 'state')
  if (state === undefined || state === 'disabled') return 'hidden'
  if (state === 'Connect') return 'starting'
  if (state.startsWith('idle in transaction')) return 'in transaction'
  const isIdle = state === 'idle' || state === 'Sleep'
  if (isIdle) return Number(row['is_open'] ?? 0) === 1 ? 'in transaction' : 'idle'
  return 'active'
}

function numberIn(row: Row, name: string): number | undefined {
  const value = row[name]
  if (value === null || value === undefined) return undefined
  const number = Number(value)
  return Number.isFinite(number) ? Math.max(0, Math.round(number)) : undefined
}

function textIn(row: Row, name: string): string | undefined {
  const value = row[name]
  if (typeof value === 'string') return value === '' ? undefined : value
  return Buffer.isBuffer(value) ? value.toString() : undefined
}

function plainIn(row: Row, name: string): string | undefined {
  const text = textIn(row, name)
  return text === undefined ? undefined : plain(text)
}

/** Names are anybody's: nothing in them may move a terminal's cursor, or a column. */
function plain(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '?')
}
