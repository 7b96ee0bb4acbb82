/** The little that the fake server understands of an application's statements. */

const WRITE = /^\s*(?:insert|update|delete|create|alter|drop|truncate)\b/i
const SLEEP = /^\s*sleep\s+(\d+)\s*$/i
const BOUND = /^\s*(begin|commit|rollback to savepoint|rollback|savepoint|release savepoint)\b\s*(\w*)/i

export type TransactionBound =
  | 'begin'
  | 'commit'
  | 'rollback'
  | 'savepoint'
  | 'release savepoint'
  | 'rollback to savepoint'

export interface StatementMeaning {
  readonly writes: boolean
  /** How long it keeps the session busy. */
  readonly busyMs: number
  /** Where it begins or ends a transaction or a part of one. */
  readonly bound: TransactionBound | undefined
  /** The savepoint that it names. */
  readonly savepoint: string
}

export function readStatement(text: string): StatementMeaning {
  const [, bound, savepoint = ''] = BOUND.exec(text) ?? []
  return {
    writes: WRITE.test(text),
    busyMs: Number(SLEEP.exec(text)?.[1] ?? 0),
    bound: bound?.toLowerCase() as TransactionBound | undefined,
    savepoint,
  }
}
