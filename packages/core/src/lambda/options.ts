/** The options of the extension, and their check. */

import { invalidOptions } from '../errors.ts'
import { isLogger, type Logger } from '../log.ts'

/** Hears of every invocation from Lambda's runtime client. What it throws goes no further. */
export interface InvocationListener {
  /** An event has come, after a freeze perhaps; its handler is about to be called. */
  begun?(): void
  /** The response is posted; the environment may be frozen. */
  over?(): void
}

export interface LambdaExtensionOptions {
  /**
   * Runs housekeeping that is due after the response, with the freeze waiting for it, and not in the turn after the
   * last checkin. The environment takes no request meanwhile. Needs AWS's own runtime client.
   * @defaultValue false
   */
  readonly afterResponse?: boolean | undefined
  /**
   * With `afterResponse`: for so long may housekeeping hold the freeze off, and never into the last 100 ms of the
   * function's timeout. What takes longer goes on when the environment thaws. Milliseconds, 0 to 1 000; 0 waits
   * for nothing.
   * @defaultValue 20
   */
  readonly afterResponseMs?: number | undefined
  /**
   * Where it says, once, that something is not to be had: an object with console's `warn` and `error`.
   * @defaultValue console
   */
  readonly logger?: Logger | undefined
  /**
   * Says that Lambda's runtime client is not loaded yet, as where `--import` or `--require` brings this code into the
   * process first: it is taken to be AWS's own, and watched from when it comes.
   * @defaultValue false
   */
  readonly preloaded?: boolean | undefined
  /**
   * Hears of each invocation's beginning, before its handler is called, and of its end. Under another client than
   * AWS's it hears nothing.
   * @defaultValue none
   */
  readonly invocations?: InvocationListener | undefined
}

const DEFAULT_AFTER_RESPONSE_MS = 20
const MOST_AFTER_RESPONSE_MS = 1_000
const NAMES: readonly string[] = ['afterResponse', 'afterResponseMs', 'invocations', 'logger', 'preloaded']

export interface CheckedOptions {
  readonly afterResponse: boolean
  readonly afterResponseMs: number
  readonly logger: Logger | undefined
  readonly preloaded: boolean
  readonly invocations: InvocationListener | undefined
}

/** @throws LeaseholdError `INVALID_OPTIONS` */
export function checked(options: LambdaExtensionOptions): CheckedOptions {
  const { afterResponse = false, afterResponseMs = DEFAULT_AFTER_RESPONSE_MS } = options
  const { invocations, logger, preloaded = false } = options
  const problems = Object.keys(options)
    .filter((name) => !NAMES.includes(name))
    .map((name) => `unknown option \`${name}\``)
  if (typeof afterResponse !== 'boolean') problems.push('`afterResponse` must be true or false')
  if (!Number.isInteger(afterResponseMs) || afterResponseMs < 0 || afterResponseMs > MOST_AFTER_RESPONSE_MS) {
    problems.push(
      `\`afterResponseMs\` must be a whole number of milliseconds from 0 to ${MOST_AFTER_RESPONSE_MS}`,
    )
  }
  if (typeof preloaded !== 'boolean') problems.push('`preloaded` must be true or false')
  if (invocations !== undefined && (typeof invocations !== 'object' || invocations === null)) {
    problems.push('`invocations` must be an object with `begun` and `over`')
  }
  if (logger !== undefined && !isLogger(logger)) {
    problems.push('`logger` must have the methods `warn` and `error`')
  }
  if (problems.length > 0) throw invalidOptions(...problems)
  return { afterResponse, afterResponseMs, invocations, logger, preloaded }
}
