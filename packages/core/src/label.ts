/**
 * The label that every governed session carries where other sessions can read it. PostgreSQL shows
 * `application_name` of every session to any login: there it is the channel between environments. MySQL shows connection
 * attributes to the same account from the same address only, so there it is for people, and named locks are the channel.
 */

import type { RecallTerms } from './recall.ts'

/** PostgreSQL cuts `application_name` at 63 bytes. */
const MAX_LABEL_BYTES = 63

export interface SessionLabel {
  readonly fleet: string
  /** The function's name, cut to what fits. */
  readonly name: string
  /** How long the session had to wait for its slot, in milliseconds; 0 when it was let in at once. */
  readonly waitedMs: number
  /** When the session was opened, by its environment's clock; whole seconds. */
  readonly openedEpochMs: number
  /** When it may be recalled; left out where it must not be. */
  readonly recall?: RecallTerms | undefined
}

/**
 * `lh:<fleet>:<waited ms>:<opened, seconds in base 36>:<name>`, at most 63 bytes. Where the session may be
 * recalled, `.<idle, tenths of a second>.<limit, seconds>` follows `opened`.
 */
export function formatLabel(label: SessionLabel): string {
  const openedS = Math.floor(label.openedEpochMs / 1_000).toString(36)
  const terms =
    label.recall === undefined
      ? ''
      : `.${Math.ceil(label.recall.afterIdleMs / 100)}.${Math.ceil(label.recall.limitMs / 1_000)}`
  const head = `lh:${label.fleet}:${Math.max(0, Math.round(label.waitedMs))}:${openedS}${terms}:`
  return head + plain(label.name).slice(0, Math.max(0, MAX_LABEL_BYTES - head.length))
}

const LABEL = /^lh:([\w.-]+):(\d{1,9}):([\da-z]{1,9})(?:\.(\d{1,5})\.(\d{1,5}))?:(.*)$/s

/**
 * The label in `text`, or undefined where the session is not a governed one: anybody may put any
 * text there.
 */
export function parseLabel(text: string): SessionLabel | undefined {
  const [, fleet, waited, openedS, idle, limit, name] = LABEL.exec(text) ?? []
  if (fleet === undefined || waited === undefined || openedS === undefined || name === undefined)
    return undefined
  const openedEpochMs = Number.parseInt(openedS, 36) * 1_000
  const label = { fleet, name, waitedMs: Number(waited), openedEpochMs }
  if (idle === undefined || limit === undefined) return label
  return { ...label, recall: { afterIdleMs: Number(idle) * 100, limitMs: Number(limit) * 1_000 } }
}

/** Only printable ASCII goes into a label: servers replace the rest, each in its own way. */
function plain(name: string): string {
  return name.replaceAll(/[^\x21-\x7e]/g, '?')
}
