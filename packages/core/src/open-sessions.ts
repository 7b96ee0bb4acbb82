/** What the end of the process needs of a governor: that its sessions are closed, and its measurements sent. */

import type { GovernedConnection } from './connection.ts'
import { type OpenSessions, processWide } from './process-wide.ts'

export function openSessions(connections: ReadonlySet<GovernedConnection>): OpenSessions {
  return {
    leave: async (sparesUsed = false) => {
      const leaving = [...connections].filter(({ checkedOut }) => !(sparesUsed && checkedOut))
      const goodbyes = leaving.map(async (governed) => {
        governed.spoilt = true
        await governed.hands.leave()
      })
      await Promise.allSettled(goodbyes)
    },
    cut: (sparesUsed = false) => {
      for (const { checkedOut, hands, spoilt } of [...connections]) {
        // What was opened meanwhile is not spoilt.
        if (!sparesUsed || (spoilt && !checkedOut)) hands.drop()
      }
    },
  }
}

/** What sends measurements; never rejects. */
interface Flushing {
  flush(isLast: boolean): Promise<void>
}

/** A pool that nobody has any more takes its place in the list with it. */
const forgotten = new FinalizationRegistry<OpenSessions>((place) => void processWide().sessions.delete(place))

/**
 * Has `recorder` send what it has at the end of the process, whether or not a session is open by then: a pool that got
 * none has the most to tell. Does not keep it alive.
 */
export function flushAtFarewell(recorder: Flushing): void {
  const held = new WeakRef(recorder)
  const place: OpenSessions = {
    leave: async () => held.deref()?.flush(true),
    cut: () => {},
  }
  forgotten.register(recorder, place)
  processWide().sessions.add(place)
}
