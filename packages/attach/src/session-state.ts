/** Whether a session holds what another would not have: then nothing takes its place. In doubt it does. */

/** Where a statement begins: the first, the next of several, or one that MySQL and MariaDB find in a comment. */
const BEGINNING = /(?:^|;|\/\*M?!\d*)(?:\s|\/\*(?!M?!)(?:[^*]|\*(?!\/))*\*\/|--[^\n]*\n|#[^\n]*\n)*/.source
/** Whatever a procedure or a block does inside is not known. */
const TELLS = 'reset|listen|prepare|declare|load|lock|flush|use|handler|call|do|execute'
/** Temporary tables, locks, variables, connections to elsewhere: wherever in a statement. */
const MAKES =
  /\b(?:set_config|setseed|get_lock)\s*\(|\bpg_(?:try_)?advisory_lock|\bdblink_connect|\btemp(?:orary)?\s+(?:recursive\s+)?(?:table|view|sequence)\b|\binto\s+temp|\bpg_temp\b|\binto\s+@|@(?:\w+|`[^`]*`)\s*:?=/
    .source
/** What lives as long as the session. */
const CHANGES_SESSION = new RegExp(
  `${BEGINNING}(?:set(?!\\s+(?:local|transaction)\\b)|${TELLS})\\b|${MAKES}`,
  'i',
)
/** To MySQL `LOCAL` is `SESSION`, and `SET TRANSACTION` is about the transaction that comes next. */
const SETS = new RegExp(`${BEGINNING}set\\b`, 'i')
/** What the session remembers of the statement before. */
const READS_SESSION = /\b(?:last_insert_id|found_rows|row_count|currval|lastval)\s*\(|@[\w`]/i
/** What is sent for our own sake. */
const OURS = /^set\s+session\s+wait_timeout\s*=/
const BEGINS = /^(?:begin|start\s+transaction)\b/i
const ENDS = /^(?:rollback(?!\s+(?:work\s+|transaction\s+)?to\b)|abort|commit|end)\b/i
const ENDS_INSIDE = /;\s*(?:rollback|abort|commit|end)\b/i
const COMMENTS = /^(?:\s+|\/\*(?!M?!)[^]*?\*\/|--[^\n]*(?:\n|$)|#[^\n]*(?:\n|$))+/

/** Whether a statement takes or renews a lease. */
export function isOurs(sql: string): boolean {
  return OURS.test(sql)
}

export class SessionState {
  readonly #changes: readonly RegExp[]
  #holds = false
  /** A transaction was asked for, and whether the server has begun it is not known. */
  #begins = false
  #lostTransaction: boolean | undefined

  constructor(engine: 'postgresql' | 'mysql') {
    this.#changes = engine === 'mysql' ? [CHANGES_SESSION, SETS] : [CHANGES_SESSION]
  }

  /** The session was told something. */
  told(sql: string | undefined): void {
    if (sql === undefined || isOurs(sql)) return
    const told = bare(sql)
    if (this.#changes.some((change) => change.test(told))) this.#holds = true
    if (BEGINS.test(told)) this.#begins = !ENDS_INSIDE.test(told)
    else if (ENDS.test(told)) this.#begins = false
  }

  /** Nothing is under way, and by the server's last word it is in no transaction. */
  settled(): void {
    this.#begins = false
  }

  /** The application has of the session what only that session knows. */
  hold(): void {
    this.#holds = true
  }

  /** The session is over. Of a transaction that it was in the midst of nothing may go on elsewhere. */
  ended(inTransaction: boolean): void {
    this.#lostTransaction ??= inTransaction || this.#begins
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
