/** The little that the fake server understands of an application's statements. */

const WRITE = /^\s*(?:insert|update|delete|create|alter|drop|truncate)\b/i
const SLEEP = /^\s*sleep\s+(\d+)\s*$/i
const TRANSACTION_BOUND = /^\s*(begin|commit|rollback)\b/i

export interface StatementMeaning {
  readonly writes: boolean
  /** How long it keeps the session busy. */
  readonly busyMs: number
  /** Whether the session is in a transaction afterwards; undefined: as before. */
  readonly inTransaction: boolean | undefined
}

export function readStatement(text: string): StatementMeaning {
  const bound = TRANSACTION_BOUND.exec(text)?.[1]?.toLowerCase()
  return {
    writes: WRITE.test(text),
    busyMs: Number(SLEEP.exec(text)?.[1] ?? 0),
    inTransaction: bound === undefined ? undefined : bound === 'begin',
  }
}
