/** How a fake server recalls sessions: the rules of the real statements, over sessions in memory. */

import type { Clock } from '../clock.ts'
import { parseLabel } from '../label.ts'
import type { RecallAsk } from '../recall-plan.ts'
import type { FakeSession } from './fake-session.ts'

/** What a recall statement asks for. */
export type FakeRecall = Omit<RecallAsk, 'goOn'>

/** The one row that a recall statement returns. */
export interface FakeRecallRow {
  readonly endedCount: number
  readonly busy: boolean
}

/** The longest-idle sessions that `asker` may end. */
export function recallable(
  clock: Clock,
  sessions: readonly FakeSession[],
  slotCount: number,
  asker: FakeSession,
  asked: FakeRecall,
): readonly FakeSession[] {
  const excess = sessions.length - Math.floor(asked.abovePressure * slotCount)
  const idleMs = ({ server }: FakeSession): number => server.lastActive.elapsedMs(clock)
  return sessions
    .filter((session) => {
      const label = parseLabel(session.label)
      if (session === asker || session.server.busy || session.server.transaction !== undefined) return false
      if (label?.recall === undefined || label.fleet !== asked.fleet) return false
      return idleMs(session) >= Math.max(label.recall.afterIdleMs, asked.terms.afterIdleMs)
    })
    .toSorted((left, right) => idleMs(right) - idleMs(left))
    .slice(0, Math.max(0, Math.min(asked.mostCount, excess)))
}
