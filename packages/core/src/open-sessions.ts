/** What the end of the process needs of a governor's connections. */

import type { GovernedConnection } from './connection.ts'
import type { OpenSessions } from './process-wide.ts'

/** @param flush sends what was measured and has not been sent; never rejects */
export function openSessions(
  connections: ReadonlySet<GovernedConnection>,
  flush: () => Promise<void>,
): OpenSessions {
  return {
    leave: async () => {
      const goodbyes = [...connections].map((governed) => {
        governed.spoilt = true
        return governed.hands.leave()
      })
      await Promise.allSettled([...goodbyes, flush()])
    },
    cut: () => {
      for (const { hands } of [...connections]) hands.drop()
    },
  }
}
