/** The options of the extension, and their check. */

import { invalidOptions } from '../errors.ts'
import { isLogger, type Logger } from '../log.ts'

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
}

const DEFAULT_AFTER_RESPONSE_MS = 20
const MOST_AFTER_RESPONSE_MS = 1_000
const NAMES: readonly string[] = ['afterResponse', 'afterResponseMs', 'logger']

export interface CheckedOptions {
  readonly afterResponse: boolean
  readonly afterResponseMs: number
  readonly logger: Logger | undefined
}

/** @throws LeaseholdError `INVALID_OPTIONS` */
export function checked(options: LambdaExtensionOptions): CheckedOptions {
  const { afterResponse = false, afterResponseMs = DEFAULT_AFTER_RESPONSE_MS, logger } = options
  const problems = Object.keys(options)
    .filter((name) => !NAMES.includes(name))
    .map((name) => `unknown option \`${name}\``)
  if (typeof afterResponse !== 'boolean') problems.push('`afterResponse` must be true or false')
  if (!Number.isInteger(afterResponseMs) || afterResponseMs < 0 || afterResponseMs > MOST_AFTER_RESPONSE_MS) {
    problems.push(
      `\`afterResponseMs\` must be a whole number of milliseconds from 0 to ${MOST_AFTER_RESPONSE_MS}`,
    )
  }
  if (logger !== undefined && !isLogger(logger)) {
    problems.push('`logger` must have the methods `warn` and `error`')
  }
  if (problems.length > 0) throw invalidOptions(...problems)
  return { afterResponse, afterResponseMs, logger }
}
