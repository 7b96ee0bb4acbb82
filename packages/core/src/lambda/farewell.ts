/** The end of the process: Lambda sends SIGTERM, and a few hundred milliseconds later SIGKILL. */

import type { Clock } from '../clock.ts'
import { processWide } from '../process-wide.ts'
import { endsWithin } from './ends-within.ts'

/** Lambda's own emulator leaves 150 ms, the documentation 300 or 500. */
const FAREWELL_MS = 100

/** Says goodbye to every server, on all governed connections at once, and cuts those that take too long. */
export async function sayFarewell(clock: Clock): Promise<void> {
  const all = [...processWide().sessions]
  await endsWithin(clock, FAREWELL_MS, Promise.all(all.map((sessions) => sessions.leave())))
  for (const sessions of all) sessions.cut()
}

/** At SIGTERM says farewell, and ends the process where nobody else does. */
export function farewellAtSigterm(clock: Clock): void {
  const onSigterm = (): void => {
    process.off('SIGTERM', onSigterm)
    // Whoever else listens has something to do, and ends the process when that is done.
    const isAlone = process.listenerCount('SIGTERM') === 0
    void sayFarewell(clock).then(() => {
      if (!isAlone) return
      // `process.exit` would wait for the thread on which Lambda's client waits for the next event.
      clock.defer(() => process.kill(process.pid, 'SIGKILL'))
    })
  }
  process.on('SIGTERM', onSigterm)
}
