/** The few lines worth a person's time, never more than a few a minute per cause. */

import { type Clock, Moment } from './clock.ts'
import { logsJson, systemEnv } from './env.ts'
import { unawaited } from './unawaited.ts'

/** What the message says in words, said in members. */
export type LogDetails = Readonly<Record<string, unknown>>

/** Console's shape; Powertools' Logger fits. There is one of `details` at the most. */
export interface Logger {
  warn(message: string, ...details: LogDetails[]): void
  error(message: string, ...details: LogDetails[]): void
}

/* oxlint-disable no-console -- the default logger is the console */
export const consoleLogger: Logger = {
  warn: (message, details) => console.warn(lineOf(message, details)),
  error: (message, details) => console.error(lineOf(message, details)),
}
/* oxlint-enable no-console */

/**
 * One line, whatever the console would make of an object: text and JSON; or the object alone, where Lambda makes
 * JSON of it by itself. Source: `AWS_LAMBDA_LOG_FORMAT`.
 */
function lineOf(message: string, details?: LogDetails): unknown {
  if (details === undefined) return message
  if (logsJson(systemEnv)) return { message, ...details }
  return `${message} ${JSON.stringify(details)}`
}

export function isLogger(value: unknown): value is Logger {
  if (typeof value !== 'object' || value === null) return false
  const { warn, error } = value as Partial<Logger>
  return typeof warn === 'function' && typeof error === 'function'
}

const LINES_PER_MINUTE = 3

/**
 * A logger that says the same cause at most three times a minute, and a `once` cause once. Never
 * throws: a line is not worth an error, so one that the logger will not take is lost.
 */
export class LimitedLog {
  readonly #logger: Logger
  readonly #clock: Clock
  readonly #causes = new Map<string, { since: Moment; lines: number }>()
  readonly #place: () => object

  /** @param place what every line tells besides its cause: where it happened */
  constructor(logger: Logger, clock: Clock, place: () => object = () => ({})) {
    this.#logger = logger
    this.#clock = clock
    this.#place = place
  }

  once(cause: string, message: string, details?: object): void {
    if (this.#causes.has(cause)) return
    this.#causes.set(cause, { since: new Moment(this.#clock), lines: 1 })
    this.#say('warn', cause, message, details)
  }

  warn(cause: string, message: string, details?: object): void {
    if (this.#maySay(cause)) this.#say('warn', cause, message, details)
  }

  error(cause: string, message: string, details?: object): void {
    if (this.#maySay(cause)) this.#say('error', cause, message, details)
  }

  /** Counts the line against its cause. */
  #maySay(cause: string): boolean {
    const seen = this.#causes.get(cause)
    if (seen === undefined || seen.since.elapsedMs(this.#clock) >= 60_000) {
      this.#causes.set(cause, { since: new Moment(this.#clock), lines: 1 })
    } else if (seen.lines >= LINES_PER_MINUTE) {
      return false
    } else {
      seen.lines += 1
    }
    return true
  }

  #say(level: 'warn' | 'error', cause: string, message: string, details: object | undefined): void {
    // Thrown from here it would mask the error that the line is about.
    unawaited(() => this.#logger[level](`leasehold: ${message}`, { cause, ...this.#place(), ...details }))
  }
}
