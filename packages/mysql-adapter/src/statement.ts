/** One statement as the driver has it, in every form in which it may be given. */

import type { DriverCommand } from './driver.ts'

export type StatementMethod = 'query' | 'execute'
export const STATEMENT_METHODS: readonly StatementMethod[] = ['query', 'execute']

export type StatementCallback = (error: Error | null, rows?: unknown, fields?: unknown) => void
/** The driver's `query` and `execute`, in every form that they have. */
export type Send = (...given: [sql: unknown, values?: unknown, callback?: unknown]) => unknown
/** What the driver's callback gets of a success, as one value. */
export type Answer = readonly [rows: unknown, fields: unknown]

/** The callback of a statement, wherever it stands; undefined in stream style. */
export function callbackIn(values: unknown, callback: unknown): StatementCallback | undefined {
  const last = typeof values === 'function' ? values : callback
  return typeof last === 'function' ? (last as StatementCallback) : undefined
}

/** Passes on as many arguments as there are: instrumentations count them. */
export function sendWith(send: Send, sql: unknown, values: unknown, answer: StatementCallback): unknown {
  return values === undefined ? send(sql, answer) : send(sql, values, answer)
}

/** What the driver makes of a statement, and takes as one: it has been through our hands before. */
export function isCommand(sql: unknown): sql is DriverCommand {
  return typeof (sql as { start?: unknown } | null | undefined)?.start === 'function'
}
