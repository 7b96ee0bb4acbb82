/**
 * What tells a governed session from another's: a named lock that it holds for life. Unlike connection attributes
 * it is there without performance_schema, and any session may ask who holds a lock by its name.
 */

import type { RecallTerms } from '@leasehold/core'

/** Limits of functions, in seconds, that a mark may carry; others are rounded up. */
const LIMITS_S: readonly number[] = [3, 5, 10, 15, 30, 60, 120, 300, 600, 900]

/** Locks have names of 64 characters at most, and MySQL does not tell capitals from small letters. */
export function lockHead(fleet: string): string {
  return `lh:${fleet.replaceAll(/[A-Z]/g, (letter) => `~${letter.toLowerCase()}`)}`
}

function nameOf(fleet: string, afterIdleMs: number, limitS: number): string {
  return `${lockHead(fleet)}:${Math.ceil(afterIdleMs / 100)}:${limitS}:`
}

/** Appended to the first statement of a session: it may be recalled. */
export function takeMark(fleet: string, { afterIdleMs, limitMs }: RecallTerms): string {
  const limitS = LIMITS_S.find((tier) => tier * 1_000 >= limitMs) ?? Math.ceil(limitMs / 1_000)
  return `@leasehold_mark = get_lock(concat('${nameOf(fleet, afterIdleMs, limitS)}', connection_id()), 0)`
}

/**
 * SQL for the limit that the session `id` is marked with, in seconds; null where it has no mark, or that of
 * another fleet, or of an owner who asks before using it at another age than ours: that can't be known.
 */
export function limitInMark(id: string, fleet: string, { afterIdleMs, limitMs }: RecallTerms): string {
  const own = Math.ceil(limitMs / 1_000)
  const limits = LIMITS_S.includes(own) ? LIMITS_S : [...LIMITS_S, own]
  const cases = limits.map(
    (limitS) => `when is_used_lock(concat('${nameOf(fleet, afterIdleMs, limitS)}', ${id})) then ${limitS}`,
  )
  return `case ${id} ${cases.join(' ')} end`
}

/** The lock of whoever recalls sessions of `fleet`; its name is no session's mark. */
export function reaperLock(fleet: string): string {
  return `'${lockHead(fleet)}:recall'`
}
