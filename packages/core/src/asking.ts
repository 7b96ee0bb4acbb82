/** A question of ours on an idle connection: whoever wants the connection meanwhile waits for the verdict. */

import type { Clock } from './clock.ts'
import type { GovernedConnection } from './connection.ts'
import { within } from './deadline.ts'
import type { Diagnostics } from './diagnostics.ts'
import type { Stats } from './stats.ts'

export interface AskingParts {
  readonly clock: Clock
  readonly options: { readonly connectTimeoutMs: number }
  readonly stats: Stats
  readonly diagnostics: Diagnostics
}

/**
 * Runs `work` on `governed`, for as long as an attempt to connect may take. Resolves to whether the
 * connection is alive; one that is not is dropped. Never rejects.
 *
 * @param survives whether the connection is alive after a failure
 */
export async function ask(
  { clock, diagnostics, options, stats }: AskingParts,
  governed: GovernedConnection,
  what: string,
  work: () => Promise<void>,
  survives: (error: unknown) => boolean | Promise<boolean>,
): Promise<boolean> {
  const asking = within(clock, options.connectTimeoutMs, what, work).then(() => true, survives)
  governed.checking = asking
  const alive = await asking
  governed.checking = undefined
  if (!alive && !governed.spoilt) {
    governed.spoilt = true
    // Where it is not idle somebody waits for the verdict, and replaces it.
    if (governed.hands.idle()) {
      stats.lost += 1
      governed.hands.drop()
      // Told when it is done: whoever hears of it may ask the pool for a connection at once.
      diagnostics.tell('lost', () => ({ connection: governed.number }))
    }
  }
  return alive
}
