/** How many slots are used, and who holds them, as far as this login sees. */

import { pressureOf } from '@leasehold/core'

import { groupsOf, type SessionGroup } from '../../sessions/groups.ts'
import { sessionsLook } from '../../sessions/look.ts'
import type { ServerSession } from '../../sessions/statement.ts'
import { counted, duration, percent } from '../../sessions/wording.ts'
import { runOn } from '../../target/connector.ts'
import type { Examination } from '../examination.ts'
import { type Facts, fine, type Finding, goOn, skipped, type StepOutcome, warning } from '../finding.ts'

/** Groups that are named; the rest is counted. */
const MOST_GROUPS = 5
/** A session that nobody governs and that idles for longer is worth a line. */
const LONG_IDLE_MS = 600_000

export async function examinePressure(examination: Examination): Promise<StepOutcome> {
  const { engine = 'postgresql', options, pool, view } = examination
  if (view === undefined) return goOn(skipped('there is no census to read'))
  const look = sessionsLook()
  const all = await examination.within('the sessions', () =>
    look(engine, (statement) => runOn(pool, statement)),
  )
  const sessions = all.filter((session) => !isOurs(session))
  const pressure = pressureOf(view)
  const target = typeof options['targetPressure'] === 'number' ? options['targetPressure'] : 0.8
  const facts: Facts = {
    usedCount: view.usedCount,
    slotCount: view.slotCount,
    pressure: Number(pressure.toFixed(3)),
  }
  const used = `${view.usedCount} of ${view.slotCount} slots used (${percent(pressure)}), this examination's among them`
  const holders = holdersOf(sessions)
  const said = `${used}${holders === '' ? '' : `; held by ${holders}`}`
  const found: Finding[] = [pressure > target ? warning('PRESSURE_HIGH', said, { facts }) : fine(said, facts)]
  const idle = sessions.filter(
    ({ fleet, state, stateMs = 0 }) => fleet === undefined && state === 'idle' && stateMs > LONG_IDLE_MS,
  )
  // Where labels are hidden, the governed ones look like the others.
  if (idle.length > 0 && all.some(({ fleet }) => fleet !== undefined)) {
    const said2 = `${counted(idle.length, 'session')} idle for over ${duration(LONG_IDLE_MS)}: ${holdersOf(idle)}`
    found.push(warning('IDLE_UNGOVERNED', said2, { facts: { idleCount: idle.length } }))
  }
  return goOn(...found)
}

function isOurs({ fleet, own }: ServerSession): boolean {
  return own || fleet === 'leasehold-doctor'
}

function holdersOf(sessions: readonly ServerSession[]): string {
  const groups = groupsOf(sessions)
  const named = groups.slice(0, MOST_GROUPS).map(worded)
  const rest = groups.slice(MOST_GROUPS).reduce((sum, { count }) => sum + count, 0)
  return [...named, ...(rest > 0 ? [`${rest} more`] : [])].join(', ')
}

function worded({ byState, count, fleet, longestIdleMs, name }: SessionGroup): string {
  const states = (['active', 'in transaction', 'idle', 'starting'] as const).flatMap((state) =>
    byState[state] === 0 ? [] : [`${byState[state]} ${state}`],
  )
  const idle = longestIdleMs === undefined ? '' : `, for up to ${duration(longestIdleMs)}`
  const what = fleet === undefined ? name : `${name} of fleet ${fleet}`
  return states.length === 0 ? `${count} ${what}` : `${count} ${what} (${states.join(', ')}${idle})`
}
