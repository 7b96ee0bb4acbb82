/** The arguments of `query`, in any of the forms that applications use, as one object. */

import { invalidOptions } from '../errors.ts'
import type { Statement } from './options.ts'

/** @throws LeaseholdError `INVALID_OPTIONS` */
export function statementOf(args: readonly unknown[]): Statement {
  const [first, second] = args
  if (typeof first === 'string') return second === undefined ? { sql: first } : { sql: first, values: second }
  if (typeof first === 'object' && first !== null) {
    const { text, ...options } = first as Readonly<Record<string, unknown>>
    const sql = options['sql'] ?? text
    if (typeof sql === 'string')
      return second === undefined ? { ...options, sql } : { ...options, sql, values: second }
  }
  throw invalidOptions('a query is a string of SQL, or an object with `sql`')
}

const LEAD = String.raw`^(?:\s|/\*[^]*?\*/|--[^\n]*\n)*`
const BEGINS = new RegExp(`${LEAD}(?:begin(?!\\s+not\\b)|start\\s+transaction)\\b`, 'i')
const ENDS = new RegExp(`${LEAD}(?:commit|rollback|end)\\b`, 'i')
const GOES_ON = /\b(?:to|and\s+chain)\b/i

/** The statement opens a transaction by hand. */
export function beginsTransaction({ sql }: Statement): boolean {
  return BEGINS.test(sql)
}

/** The statement closes it, and not only back to a savepoint. */
export function endsTransaction({ sql }: Statement): boolean {
  return ENDS.test(sql) && !GOES_ON.test(sql)
}

/** Adds the final text, hidden where the result is a list. */
export function addSql(target: unknown, sql: string): void {
  if (typeof target !== 'object' || target === null || !Object.isExtensible(target)) return
  Object.defineProperty(target, 'sql', {
    value: sql,
    configurable: true,
    writable: true,
    enumerable: !Array.isArray(target),
  })
}
