/** The end of the process: Lambda sends SIGTERM, and a few hundred milliseconds later SIGKILL. */

import type { Clock } from '../clock.ts'
import { processWide } from '../process-wide.ts'
import { endsWithin } from './ends-within.ts'

/** Lambda's own emulator leaves 150 ms, the documentation 300 or 500. */
const FAREWELL_MS = 100

/**
 * Says goodbye to every server, on all governed connections at once, and cuts those that take too long. Never rejects.
 *
 * @param sparesUsed leaves alone what the application has
 */
export async function sayFarewell(clock: Clock, sparesUsed = false): Promise<void> {
  const all = [...processWide().sessions]
  const goodbyes = all.map(async (sessions) => sessions.leave(sparesUsed))
  await endsWithin(clock, FAREWELL_MS, Promise.allSettled(goodbyes))
  for (const sessions of all) {
    try {
      sessions.cut(sparesUsed)
    } catch {
      // The others are cut all the same.
    }
  }
}

/**
 * At SIGTERM says farewell, and ends the process where nobody else does. Whoever else listens may need the database
 * for that: then only what nobody uses is closed.
 *
 * @param say never rejects
 */
export function farewellAtSigterm(
  clock: Clock,
  say: (sparesUsed: boolean) => Promise<void> = (sparesUsed) => sayFarewell(clock, sparesUsed),
): void {
  const onSigterm = (): void => {
    process.off('SIGTERM', onSigterm)
    // Whoever else listens has something to do, and ends the process when that is done.
    const isAlone = process.listenerCount('SIGTERM') === 0
    void say(!isAlone).then(() => {
      clock.defer(() => {
        // `process.exit` would wait for the thread on which Lambda's client waits for the next event.
        if (isAlone && process.listenerCount('SIGTERM') === 0) process.kill(process.pid, 'SIGKILL')
      })
    })
  }
  // Before the others: one that listens once is not counted any more when it has been called, and one that ends the
  // process at once would leave the sessions.
  process.prependListener('SIGTERM', onSigterm)
}
