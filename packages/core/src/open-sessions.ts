/** What the end of the process needs of a governor's connections. */

import type { GovernedConnection } from './connection.ts'
import type { OpenSessions } from './process-wide.ts'

/** @param flush sends what was measured and has not been sent; never rejects */
export function openSessions(
  connections: ReadonlySet<GovernedConnection>,
  flush: () => Promise<void>,
): OpenSessions {
  return {
    leave: async (sparesUsed = false) => {
      const leaving = [...connections].filter(({ checkedOut }) => !(sparesUsed && checkedOut))
      const goodbyes = leaving.map(async (governed) => {
        governed.spoilt = true
        await governed.hands.leave()
      })
      await Promise.allSettled([...goodbyes, flush()])
    },
    cut: (sparesUsed = false) => {
      for (const { checkedOut, hands, spoilt } of [...connections]) {
        // What was opened meanwhile is not spoilt.
        if (!sparesUsed || (spoilt && !checkedOut)) hands.drop()
      }
    },
  }
}
