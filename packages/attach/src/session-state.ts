/** Whether a session holds what another would not have: then nothing takes its place. In doubt it does. */

/**
 * Settings, temporary tables, locks, cursors, listeners: what lives as long as the session. Whatever a procedure or a
 * block does inside is not known.
 */
const CHANGES_SESSION =
  /(?:^|;)\s*(?:set(?!\s+(?:local|transaction)\b)|reset|listen|prepare|declare|load|lock|use|handler|call|do|execute)\b|\bset_config\s*\(|\bpg_(?:try_)?advisory_lock|\bget_lock\s*\(|\btemp(?:orary)?\s+(?:table|view|sequence)\b|\binto\s+temp|@\w+\s*:?=/i
/** What the session remembers of the statement before. */
const READS_SESSION = /\b(?:last_insert_id|found_rows|row_count|currval|lastval)\s*\(|@\w/i
/** What is sent for our own sake. */
const OURS = /^set\s+session\s+wait_timeout\s*=/
const BEGINS = /^(?:begin|start\s+transaction)\b/i
const ENDS = /^(?:rollback(?!\s+(?:work\s+|transaction\s+)?to\b)|abort|commit|end)\b/i
const COMMENTS = /^(?:\s+|\/\*[^]*?\*\/|--[^\n]*(?:\n|$)|#[^\n]*(?:\n|$))+/

/** Whether a statement takes or renews a lease. */
export function isOurs(sql: string): boolean {
  return OURS.test(sql)
}

export class SessionState {
  #holds = false
  #lostTransaction: boolean | undefined

  /** The session was told something. */
  told(sql: string | undefined): void {
    if (sql !== undefined && !isOurs(sql) && CHANGES_SESSION.test(bare(sql))) this.#holds = true
  }

  /** The application has of the session what only that session knows. */
  hold(): void {
    this.#holds = true
  }

  /** The session is over. Of a transaction that it was in the midst of nothing may go on elsewhere. */
  ended(inTransaction: boolean): void {
    this.#lostTransaction ??= inTransaction
  }

  /**
   * Whether `sql`, the next statement, may be the first of another session. Once a transaction is lost, not before the
   * application has ended it, or begins another.
   */
  mayMove(sql = ''): boolean {
    const next = bare(sql)
    if (this.#holds || READS_SESSION.test(next)) return false
    if (this.#lostTransaction !== true) return true
    const begins = BEGINS.test(next)
    if (begins || ENDS.test(next)) this.#lostTransaction = false
    return begins
  }
}

/** Without the comments before it. */
function bare(sql: string): string {
  return sql.replace(COMMENTS, '')
}
