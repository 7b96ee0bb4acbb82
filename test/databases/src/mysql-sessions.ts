// Who is connected to a MySQL or MariaDB server, as its administrator sees it.
import { CONTROL_USER } from './mysql-control.ts'
import { textOf } from './rows.ts'
import type { Rows } from './rows.ts'
import type { ServerSession } from './server.ts'

/** The table with one row for each session. MySQL has deprecated the other one. */
export type Processlist = 'information_schema.processlist' | 'performance_schema.processlist'

/**
 * InnoDB answers questions for its transactions from a cache, and renews that only if nobody has asked for
 * 100 ms: who asks more often sees the same answer for ever.
 * https://dev.mysql.com/doc/refman/en/innodb-information-schema-internal-data.html
 */
const TRANSACTIONS_AT_MOST_EVERY_MS = 120

/**
 * A function that lists the sessions; it remembers the open transactions for as long as they can't be asked
 * for.
 */
export function sessionReader(
  query: (sql: string) => Promise<Rows>,
  processlist: Processlist,
): () => Promise<readonly ServerSession[]> {
  let askedAtMs = -Infinity
  let inTransaction: ReadonlySet<number> = new Set()
  return async () => {
    const rows = await query(sessionsQuery(processlist))
    if (performance.now() - askedAtMs > TRANSACTIONS_AT_MOST_EVERY_MS) {
      const transactions = await query('select trx_mysql_thread_id as id from information_schema.innodb_trx')
      inTransaction = new Set(transactions.map((row) => Number(row['id'])))
      askedAtMs = performance.now()
    }
    return rows.map((row) => serverSession(row, inTransaction))
  }
}

function sessionsQuery(processlist: Processlist): string {
  return `
    select p.id, p.user, p.db, p.command, a.attr_value as label
    from ${processlist} p left join performance_schema.session_connect_attrs a
      on a.processlist_id = p.id and a.attr_name = 'program_name'
    where p.command <> 'Daemon'
      and p.user not in ('system user', 'event_scheduler', 'unauthenticated user', '${CONTROL_USER}')
    order by p.id`
}

function serverSession(row: Record<string, unknown>, inTransaction: ReadonlySet<number>): ServerSession {
  const id = Number(row['id'])
  return {
    id,
    user: String(row['user']),
    database: textOf(row['db']),
    label: textOf(row['label']),
    idle: row['command'] === 'Sleep',
    inTransaction: inTransaction.has(id),
  }
}
