/** Runs one statement that may be stopped: at its limit of time, or because its signal aborted. */

import type { Clock } from './clock.ts'
import type { Diagnostics } from './diagnostics.ts'
import type { Stats } from './stats.ts'

/** A cancelled statement gets this long to end by itself; then its connection is cut. */
const CANCEL_LIMIT_MS = 1_000
/** What cancelling may take of the reserve that is kept for the answer at the end of an invocation. */
const CANCEL_RESERVE_MS = 400

/** How one statement may be stopped. */
export interface StatementLimits {
  /** Milliseconds; 0 or undefined is no limit. */
  readonly timeoutMs?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** What an adapter does to stop the one statement that is running. */
export interface Stoppable<T> {
  /** Sends the statement and settles as the driver does. */
  run(): Promise<T>
  /** Asks the server to stop this statement and no other. Resolves when the server has taken note. */
  cancel(signal: AbortSignal): Promise<void>
  /** Cuts the connection: the statement did not end when it was cancelled. */
  cut(): void
}

export interface StoppingParts {
  readonly clock: Clock
  readonly stats: Stats
  readonly diagnostics: Diagnostics
  /** What is left of the invocation, or undefined where that is not known. */
  spendableMs(): number | undefined
}

export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: unknown }

export interface Ending<T> {
  /** How the statement ended; undefined where it did not, and its connection was cut. */
  readonly outcome: Outcome<T> | undefined
  readonly wasStopped: boolean
}

const STOP: unique symbol = Symbol('stop')
const toStop = (): typeof STOP => STOP

/** Never rejects, and leaves neither timer nor listener behind. */
export async function runStoppable<T>(
  parts: StoppingParts,
  limits: StatementLimits,
  statement: Stoppable<T>,
): Promise<Ending<T>> {
  const { clock, diagnostics, stats } = parts
  const over = new AbortController()
  const running = outcomeOf(() => statement.run())
  try {
    const first = await Promise.race([running, stopOf(clock, limits, over.signal)])
    if (first !== STOP) return { outcome: first, wasStopped: false }
    stats.cancelled += 1
    diagnostics.tell('cancel', () => ({ timeoutMs: limits.timeoutMs }))
    // Waits for the cancel itself too: one that arrives late would hit the connection's next statement.
    const cancelled = outcomeOf(() => statement.cancel(over.signal)).then(() => running)
    const patience = clock.sleep(patienceMs(parts), over.signal).then(toStop, toStop)
    const last = await Promise.race([cancelled, patience])
    if (last !== STOP) return { outcome: last, wasStopped: true }
    // It may have ended by itself, with only the cancel still on its way.
    const outcome = await Promise.race([running, Promise.resolve(undefined)])
    statement.cut()
    return { outcome, wasStopped: true }
  } finally {
    over.abort()
  }
}

function patienceMs(parts: StoppingParts): number {
  return Math.min(CANCEL_LIMIT_MS, (parts.spendableMs() ?? CANCEL_LIMIT_MS) + CANCEL_RESERVE_MS)
}

async function outcomeOf<T>(work: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { ok: true, value: await work() }
  } catch (error) {
    return { ok: false, error }
  }
}

function stopOf(
  clock: Clock,
  { timeoutMs, signal }: StatementLimits,
  over: AbortSignal,
): Promise<typeof STOP> {
  return new Promise((resolve) => {
    const stop = (): void => resolve(STOP)
    if (signal?.aborted === true) stop()
    else signal?.addEventListener('abort', stop, { once: true, signal: over })
    if (timeoutMs === undefined || timeoutMs === 0) return
    // After a freeze timers run first, though the answer may lie in the socket: one turn to read it.
    clock.sleep(timeoutMs, over).then(
      () => clock.defer(stop),
      () => undefined,
    )
  })
}
