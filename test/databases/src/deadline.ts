// Nothing here waits for ever: a check repeated until a limit, with a sentence for the failure.
import { setTimeout as sleep } from 'node:timers/promises'

const POLL_EVERY_MS = 10

/**
 * Asks again and again until the answer is true. Throws when the time is up; `check` may throw to end it
 * early.
 */
export async function waitUntil(
  what: () => string,
  withinMs: number,
  check: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadline = performance.now() + withinMs
  while (!(await check())) {
    if (performance.now() > deadline) throw new Error(`${what()}: not within ${withinMs} ms`)
    await sleep(POLL_EVERY_MS)
  }
}
