/** PURE: what `top` shows of one moment, as lines of text. */

import { type SessionGroup, nameOf } from '../sessions/groups.ts'
import type { ServerSession } from '../sessions/statement.ts'
import { counted, duration, percent, timeOfDay } from '../sessions/wording.ts'
import type { Snapshot } from './snapshot.ts'
import { type Column, tableLines } from './table.ts'

export type Paint = (format: 'bold' | 'dim' | 'red' | 'yellow' | 'green', text: string) => string

export interface Moment {
  /** Undefined before the first look that succeeded. */
  readonly snapshot: Snapshot | undefined
  /** Where the server is, in words. */
  readonly title: string
  readonly nowEpochMs: number
  /** What is wrong with the connection, or has been lately; undefined where all is well. */
  readonly notice: string | undefined
}

const BAR_WIDTH = 40

const number = (count: number): string => (count === 0 ? '-' : String(count))

const GROUP_COLUMNS: readonly Column<SessionGroup>[] = [
  { title: 'FLEET', align: 'left', text: ({ fleet }) => fleet ?? '-' },
  { title: 'NAME', align: 'left', text: ({ name }) => name },
  { title: 'SESSIONS', align: 'right', text: ({ count }) => String(count) },
  { title: 'ACTIVE', align: 'right', text: ({ byState }) => number(byState.active + byState.starting) },
  { title: 'IDLE', align: 'right', text: ({ byState }) => number(byState.idle) },
  { title: 'IN TX', align: 'right', text: ({ byState }) => number(byState['in transaction']) },
  { title: 'LONGEST IDLE', align: 'right', text: ({ longestIdleMs }) => duration(longestIdleMs) },
  { title: 'OLDEST', align: 'right', text: ({ oldestMs }) => duration(oldestMs) },
  {
    title: 'WAITED',
    align: 'right',
    text: ({ longestWaitMs }) => (longestWaitMs === 0 ? '-' : duration(longestWaitMs)),
  },
  { title: 'HIDDEN', align: 'right', text: ({ byState }) => number(byState.hidden) },
]

const SESSION_COLUMNS: readonly Column<ServerSession>[] = [
  { title: 'ID', align: 'right', text: ({ id, own }) => (own ? `*${id}` : String(id)) },
  { title: 'FLEET', align: 'left', text: ({ fleet }) => fleet ?? '-' },
  { title: 'NAME', align: 'left', text: nameOf },
  { title: 'STATE', align: 'left', text: ({ state }) => state },
  { title: 'FOR', align: 'right', text: ({ stateMs }) => duration(stateMs) },
  { title: 'AGE', align: 'right', text: ({ ageMs }) => duration(ageMs) },
  { title: 'USER', align: 'left', text: ({ user }) => user },
  { title: 'DATABASE', align: 'left', text: ({ database }) => database ?? '-' },
]

/** One moment for output that is not redrawn: the counts, and the table of fleets. */
export function plainLines(moment: Moment, width: number): string[] {
  const { notice, snapshot, title } = moment
  const head = `${timeOfDay(moment.nowEpochMs)}  ${title}`
  const said = notice === undefined ? [] : [notice]
  if (snapshot === undefined || isStale(moment)) return [head, ...said, '']
  return [head, ...said, slotsLine(snapshot), ...groupLines(snapshot, width), '']
}

/** One moment for a terminal, in at most `rows` lines of at most `columns` characters. */
export function frame(moment: Moment, size: { columns: number; rows: number }, paint: Paint): string[] {
  const { columns, rows } = size
  const { notice, snapshot, title } = moment
  const lines: string[] = []
  const add = (text: string, format?: Parameters<Paint>[0]): void => {
    const fitting = text.slice(0, columns)
    lines.push(format === undefined ? fitting : paint(format, fitting))
  }
  add(`leasehold top  ${title}  ${timeOfDay(moment.nowEpochMs)}`, 'bold')
  if (notice !== undefined) add(notice, 'yellow')
  if (snapshot === undefined) {
    add('waiting for the first answer')
    return [...lines, ''].slice(0, rows)
  }
  const isFull = snapshot.freeCount === 0
  add(slotsLine(snapshot), isFull ? 'red' : undefined)
  add(bar(snapshot, columns), isFull ? 'red' : 'green')
  add('')
  const [head = '', ...groups] = groupLines(snapshot, columns)
  add(head, 'dim')
  // The fleets come first, and leave room for some of the sessions.
  const forGroups = Math.max(2, Math.floor((rows - lines.length) / 2))
  for (const line of fitted(groups, forGroups)) add(line)
  add('')
  const [sessionHead = '', ...sessions] = tableLines(SESSION_COLUMNS, byAge(snapshot.sessions), columns)
  if (rows - lines.length > 3) {
    add(sessionHead, 'dim')
    for (const line of fitted(sessions, rows - lines.length - 1)) add(line)
  }
  add('q quits', 'dim')
  return lines.slice(0, rows)
}

function isStale({ notice, nowEpochMs, snapshot }: Moment): boolean {
  return notice !== undefined && snapshot !== undefined && snapshot.atEpochMs < nowEpochMs
}

function slotsLine({ freeCount = 0, limitOf, slotCount, usedCount }: Snapshot): string {
  if (usedCount === undefined || slotCount === undefined)
    return 'slots: the server refuses to count its sessions'
  const whose = limitOf === undefined || limitOf === 'server' ? '' : `, of this ${limitOf}`
  return `slots: ${usedCount} of ${slotCount} used (${percent(usedCount / slotCount)}${whose}), ${freeCount} free for this login`
}

function bar({ slotCount = 1, usedCount = 0 }: Snapshot, columns: number): string {
  const width = Math.max(0, Math.min(BAR_WIDTH, columns - 2))
  const filled = Math.min(width, Math.round((usedCount / slotCount) * width))
  return `[${'#'.repeat(filled)}${'.'.repeat(width - filled)}]`
}

function groupLines(snapshot: Snapshot, width: number): string[] {
  const { groups, labelsHidden, unseenCount } = snapshot
  const more: string[] = []
  if (unseenCount > 0)
    more.push(`and ${counted(unseenCount, 'session')} of other accounts, which this login may not see`)
  if (labelsHidden)
    more.push('performance_schema is off: the server shows no labels, so fleets are not told apart')
  return [...tableLines(GROUP_COLUMNS, groups, width), ...more.map((line) => line.slice(0, width))]
}

/** The longest in their state first: those are the ones to look at. */
function byAge(sessions: readonly ServerSession[]): ServerSession[] {
  return sessions.toSorted((one, other) => (other.stateMs ?? -1) - (one.stateMs ?? -1) || one.id - other.id)
}

/** The first of `lines`, and how many are left out, in `room` lines. */
function fitted(lines: readonly string[], room: number): readonly string[] {
  if (lines.length <= room) return lines
  const shown = lines.slice(0, Math.max(0, room - 1))
  return [...shown, `... and ${lines.length - shown.length} more`]
}
