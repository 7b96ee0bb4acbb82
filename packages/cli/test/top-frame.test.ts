import { type Engine, formatLabel } from '@leasehold/core'
import { describe, expect, it } from 'vitest'

import { groupsOf } from '../src/sessions/groups.ts'
import { readSessions } from '../src/sessions/statement.ts'
import { duration } from '../src/sessions/wording.ts'
import { frame, type Moment, plainLines } from '../src/top/frame.ts'
import type { Snapshot } from '../src/top/snapshot.ts'
import { tableLines } from '../src/top/table.ts'

const NOW_MS = 1_795_000_000_000
const bare = (_format: string, text: string): string => text

function rowOf(
  id: number,
  state: string | null,
  label: string,
  stateMs: number | null = 2_000,
): Record<string, unknown> {
  return {
    id,
    user_name: 'app',
    database_name: 'shop',
    label,
    program: label,
    state,
    state_ms: stateMs,
    now_ms: NOW_MS,
    own: id === 1,
  }
}

const labelOf = (fleet: string, name: string, waitedMs = 0): string =>
  formatLabel({ fleet, name, waitedMs, openedEpochMs: NOW_MS - 60_000 })

const SESSIONS = readSessions([
  rowOf(1, 'active', labelOf('leasehold-top', 'top'), 3),
  rowOf(2, 'idle', labelOf('orders', 'checkout', 250)),
  rowOf(3, 'idle in transaction', labelOf('orders', 'checkout'), 7_500),
  rowOf(4, null, 'a job', null),
])

function momentOf(changes: Partial<Moment> = {}, snapshot: Partial<Snapshot> = {}): Moment {
  return {
    title: 'PostgreSQL at db:5432/shop as app',
    nowEpochMs: NOW_MS,
    notice: undefined,
    snapshot: {
      atEpochMs: NOW_MS,
      engine: 'postgresql' satisfies Engine,
      usedCount: 8,
      slotCount: 10,
      limitOf: 'server',
      freeCount: 2,
      sessions: SESSIONS,
      groups: groupsOf(SESSIONS),
      unseenCount: 0,
      labelsHidden: false,
      ownId: 1,
      ...snapshot,
    },
    ...changes,
  }
}

describe('a moment of top', () => {
  it('shows slots, fleets and sessions, the longest in their state first', () => {
    const lines = frame(momentOf(), { columns: 120, rows: 30 }, bare)
    expect(lines[1]).toBe('slots: 8 of 10 used (80 %), 2 free for this login')
    expect(lines[2]).toBe(`[${'#'.repeat(32)}........]`)
    const order = lines.flatMap((line) => /^ ?(\*?\d+) {2}(?:\S+) +/.exec(line)?.[1] ?? [])
    expect(order).toEqual(['3', '2', '*1', '4'])
    expect(lines.find((line) => line.startsWith('orders'))).toMatch(
      /^orders +checkout +2 +- +1 +1 +2\.0 s +60 s +250 ms/,
    )
  })

  it.each([
    [120, 40],
    [80, 24],
    [40, 10],
    [20, 5],
    [10, 3],
    [200, 8],
  ])('fits into %i columns and %i rows', (columns, rows) => {
    const many = readSessions(
      Array.from({ length: 60 }, (_one, id) => rowOf(id + 2, 'idle', labelOf('orders', `f${id}`))),
    )
    const lines = frame(momentOf({}, { sessions: many, groups: groupsOf(many) }), { columns, rows }, bare)
    expect(lines.length).toBeLessThanOrEqual(rows)
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns)
  })

  it('says how many are left out', () => {
    const many = readSessions(
      Array.from({ length: 60 }, (_one, id) => rowOf(id + 2, 'idle', labelOf('orders', `f${id}`))),
    )
    const lines = frame(
      momentOf({}, { sessions: many, groups: groupsOf(many) }),
      { columns: 100, rows: 30 },
      bare,
    )
    expect(lines.filter((line) => /^\.\.\. and \d+ more$/.test(line))).toHaveLength(2)
  })

  it('says what this login may not see', () => {
    const text = plainLines(momentOf({}, { unseenCount: 3, labelsHidden: true }), 160).join('\n')
    expect(text).toContain('and 3 sessions of other accounts, which this login may not see')
    expect(text).toContain('performance_schema is off')
  })

  it('shows no old table in a pipe while there is no connection', () => {
    const moment = momentOf({
      notice: 'no connection since 12:00:00 (57P01), trying again',
      nowEpochMs: NOW_MS + 2_000,
    })
    expect(plainLines(moment, 160)).toHaveLength(3)
    expect(frame(moment, { columns: 100, rows: 30 }, bare).some((line) => line.startsWith('orders'))).toBe(
      true,
    )
  })

  it('lets no name move the cursor', () => {
    const [session] = readSessions([rowOf(9, 'idle', '\u001B[2Jevil\r\n')])
    expect(session?.name).toBe('?[2Jevil??')
  })
})

describe('a table', () => {
  const columns = [
    { title: 'NAME', align: 'left', text: ({ name }: { name: string }) => name },
    { title: 'COUNT', align: 'right', text: () => '12' },
  ] as const

  it('aligns, and leaves out the columns that do not fit', () => {
    expect(tableLines(columns, [{ name: 'one' }, { name: 'three' }], 80)).toEqual([
      'NAME   COUNT',
      'one       12',
      'three     12',
    ])
    expect(tableLines(columns, [{ name: 'three' }], 8)).toEqual(['NAME', 'three'])
    expect(tableLines(columns, [{ name: 'three' }], 3)).toEqual(['NAM', 'thr'])
  })

  it('cuts what is too long', () => {
    expect(tableLines(columns, [{ name: 'n'.repeat(40) }], 80)[1]).toMatch(/^n{21}\.\.\. +12$/)
  })
})

describe('a duration', () => {
  it.each([
    [undefined, '-'],
    [0, '0 ms'],
    [999, '999 ms'],
    [1_000, '1.0 s'],
    [9_960, '10 s'],
    [119_000, '119 s'],
    [120_000, '2 min'],
    [7_200_000, '2 h'],
    [200_000_000, '2 d'],
  ])('of %s ms is %s', (ms, words) => {
    expect(duration(ms)).toBe(words)
  })
})
