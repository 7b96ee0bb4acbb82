/** PURE: sessions by fleet and name, with their states and ages. */

import type { ServerSession, SessionState } from './statement.ts'

export interface SessionGroup {
  /** Undefined where nobody governs them, or their labels are hidden. */
  readonly fleet: string | undefined
  /** Of the function or program; the user's where there is none. */
  readonly name: string
  readonly count: number
  readonly byState: Readonly<Record<SessionState, number>>
  /** Of the idle ones, in milliseconds; undefined where none is, or the server does not tell. */
  readonly longestIdleMs: number | undefined
  readonly oldestMs: number | undefined
  /** The longest wait for a slot that one of them tells of. */
  readonly longestWaitMs: number
}

/** The largest first; among equals the fleets, by name. */
export function groupsOf(sessions: readonly ServerSession[]): SessionGroup[] {
  const groups = new Map<string, ServerSession[]>()
  for (const session of sessions) {
    const key = JSON.stringify([session.fleet, nameOf(session)])
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [session])
    else group.push(session)
  }
  return [...groups.values()]
    .map(groupOf)
    .toSorted(
      (one, other) =>
        other.count - one.count ||
        Number(one.fleet === undefined) - Number(other.fleet === undefined) ||
        `${one.fleet} ${one.name}`.localeCompare(`${other.fleet} ${other.name}`),
    )
}

/** What a session is called where it is shown. */
export function nameOf({ name, user }: ServerSession): string {
  return name ?? user
}

function groupOf(sessions: readonly ServerSession[]): SessionGroup {
  const [first] = sessions as readonly [ServerSession]
  const byState = { active: 0, 'in transaction': 0, idle: 0, starting: 0, hidden: 0 }
  for (const { state } of sessions) byState[state] += 1
  return {
    fleet: first.fleet,
    name: nameOf(first),
    count: sessions.length,
    byState,
    longestIdleMs: most(sessions.map(({ state, stateMs }) => (state === 'idle' ? stateMs : undefined))),
    oldestMs: most(sessions.map(({ ageMs }) => ageMs)),
    longestWaitMs: most(sessions.map(({ waitedMs }) => waitedMs)) ?? 0,
  }
}

function most(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined)
  return known.length === 0 ? undefined : Math.max(...known)
}
