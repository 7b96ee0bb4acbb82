/** Asks the Extensions API for one event after another. Lambda waits for the question, so a failed one is asked again. */

import type { Clock } from '../clock.ts'
import type { ExtensionEvent } from './extensions-api.ts'

/** After so many failures in a row, which take 0.7 s, somebody is told. */
const QUICK_FAILURES = 6
const FIRST_PAUSE_MS = 10
/** From then on: cheap enough to go on for ever, and soon enough for an environment that waits for the question. */
const LONGEST_PAUSE_MS = 2_000

export interface EventListener {
  /** An invocation began; awaited before the next question. */
  invoke(event: ExtensionEvent): Promise<void>
  /** The API fails: no event will come for a while. Told once until it answers again. */
  lost(error: unknown): void
  /** It answers again. */
  found(): void
}

/** Never ends, and never rejects. Once the API is lost, does not keep the process alive by itself. */
export async function serveEvents(
  next: () => Promise<ExtensionEvent>,
  clock: Clock,
  listener: EventListener,
): Promise<never> {
  let failures = 0
  for (;;) {
    try {
      const event = await next()
      // Something that answers whatever it is asked would be asked without end.
      if (event.eventType !== 'INVOKE') throw new Error('/event/next was answered with something else')
      if (failures >= QUICK_FAILURES) listener.found()
      failures = 0
      await listener.invoke(event)
    } catch (error) {
      failures += 1
      if (failures === QUICK_FAILURES) listener.lost(error)
      await pause(clock, failures)
    }
  }
}

function pause(clock: Clock, failures: number): Promise<void> {
  if (failures < QUICK_FAILURES) return clock.sleep(FIRST_PAUSE_MS * 2 ** failures)
  const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures)
  return new Promise((resolve) => clock.later(pauseMs, resolve))
}
