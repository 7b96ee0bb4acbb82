/** The driver's result in the shape that statements of either engine can go on with. */

import type pg from 'pg'

/** What a statement without rows did. */
interface Outcome {
  readonly affectedRows: number
  readonly command: string
}

/**
 * Rows where the statement has any to give (`returning` included), else what it did. The rows carry what it did
 * too, hidden, and `insertId`: the first column of the first row.
 */
export function resultOf(answer: unknown): unknown {
  if (Array.isArray(answer)) return answer.map(resultOf)
  const { rows, fields, rowCount, command } = answer as pg.QueryResult<Record<string, unknown>>
  const outcome: Outcome = { affectedRows: rowCount ?? 0, command }
  if (fields.length === 0) return outcome
  const name = fields[0]?.name ?? ''
  const hidden = { ...outcome, insertId: rows[0]?.[name] }
  for (const [key, value] of Object.entries(hidden)) {
    Object.defineProperty(rows, key, { value, configurable: true, writable: true })
  }
  return rows
}
