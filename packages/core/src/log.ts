/** The few lines worth a person's time, never more than a few a minute per cause. */

import type { Clock } from './clock.ts'

/** Console's shape; Powertools' Logger fits. */
export interface Logger {
  warn(message: string, details?: object): void
  error(message: string, details?: object): void
}

/* oxlint-disable no-console -- the default logger is the console */
export const consoleLogger: Logger = {
  warn: (message, details) =>
    details === undefined ? console.warn(message) : console.warn(message, details),
  error: (message, details) =>
    details === undefined ? console.error(message) : console.error(message, details),
}
/* oxlint-enable no-console */

export function isLogger(value: unknown): value is Logger {
  if (typeof value !== 'object' || value === null) return false
  const { warn, error } = value as Partial<Logger>
  return typeof warn === 'function' && typeof error === 'function'
}

const LINES_PER_MINUTE = 3

/** A logger that says the same cause at most three times a minute, and a `once` cause once. */
export class LimitedLog {
  readonly #logger: Logger
  readonly #clock: Clock
  readonly #causes = new Map<string, { startMs: number; lines: number }>()

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger
    this.#clock = clock
  }

  once(cause: string, message: string, details?: object): void {
    if (this.#causes.has(cause)) return
    this.#causes.set(cause, { startMs: 0, lines: 0 })
    this.#logger.warn(`leasehold: ${message}`, details)
  }

  error(cause: string, message: string, details?: object): void {
    const nowMs = this.#clock.epochMs()
    const seen = this.#causes.get(cause)
    if (seen === undefined || nowMs - seen.startMs >= 60_000) {
      this.#causes.set(cause, { startMs: nowMs, lines: 1 })
    } else if (seen.lines >= LINES_PER_MINUTE) {
      return
    } else {
      seen.lines += 1
    }
    this.#logger.error(`leasehold: ${message}`, details)
  }
}
