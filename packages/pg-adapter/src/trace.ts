/** Where a connection was taken: for `traceCheckouts` alone, as it costs a stack. */

import type { DriverPool } from './driver.ts'
import type { GovernedClient } from './governed-client.ts'

const MOST_FRAMES = 6

/** The callers of one of the pool's methods, nearest first, in one line. */
export function callersOf(pool: DriverPool, method: 'connect' | 'query'): string {
  const trace: { stack?: string } = {}
  Error.captureStackTrace(trace, pool[method])
  const frames = (trace.stack ?? '').split('\n').slice(1, 1 + MOST_FRAMES)
  return frames.map((frame) => frame.trim()).join(' ')
}

export function marked(client: unknown, callers: string): unknown {
  const governed = (client as GovernedClient | undefined)?.governed
  if (governed !== undefined) governed.takenAt = callers
  return client
}
