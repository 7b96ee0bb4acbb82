/** Whether a session holds what another would not have: then nothing takes its place. */

/** Settings, temporary tables, locks, cursors, listeners: what lives as long as the session. */
const CHANGES_SESSION =
  /^\s*(?:set(?!\s+(?:local|transaction)\b)|reset|listen|prepare|declare|load|lock|use|handler)\b|\bset_config\s*\(|\bpg_(?:try_)?advisory_lock|\bget_lock\s*\(|\btemp(?:orary)?\s+(?:table|view|sequence)\b|\binto\s+temp|@\w+\s*:?=/i
/** What is sent for our own sake. */
const OURS = /^\s*set\s+(?:session\s+)?wait_timeout\b/i

/** Whether a statement takes or renews a lease. */
export function isOurs(sql: string): boolean {
  return OURS.test(sql)
}

const BEGINS = /^\s*(?:begin|start\s+transaction)\b/i
const ENDS = /^\s*(?:rollback(?!\s+(?:work\s+|transaction\s+)?to\b)|abort|commit|end)\b/i

export class SessionState {
  #holds = false
  #lostTransaction: boolean | undefined

  /** The session was told something. */
  told(sql: string | undefined): void {
    if (sql !== undefined && CHANGES_SESSION.test(sql) && !isOurs(sql)) this.#holds = true
  }

  /** The session is over. Of a transaction that it was in the midst of nothing may go on elsewhere. */
  ended(inTransaction: boolean): void {
    this.#lostTransaction ??= inTransaction
  }

  /**
   * Whether `sql`, the next statement, may be the first of another session. Once a transaction is lost, not before the
   * application has ended it, or begins another.
   */
  mayMove(sql: string | undefined): boolean {
    if (this.#holds) return false
    if (this.#lostTransaction !== true) return true
    if (sql === undefined || !(BEGINS.test(sql) || ENDS.test(sql))) return false
    this.#lostTransaction = false
    return BEGINS.test(sql)
  }
}
