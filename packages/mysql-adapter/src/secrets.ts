/** Keeps passwords out of what is printed. They stay enumerable: libraries copy a connection's config by spreading it. */

import { inspect } from 'node:util'

const SECRETS = ['password', 'password2', 'password3', 'passwordSha1']
const HIDDEN = '(hidden)'

/**
 * Makes `util.inspect`, and so the console, print `config` without its passwords, and the copy that the
 * driver makes for each connection. Does not hold for `JSON.stringify`, nor for the driver's own copy of the
 * config in a query that is running.
 */
export function hideSecrets(config: object): void {
  Object.assign(config, { [inspect.custom]: printed })
}

/** Returns what is to be printed instead; a text of its own would lose the printer's depth and its sense of circles. */
function printed(this: object): object {
  const shown: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(this)) {
    shown[name] = SECRETS.includes(name) && value !== undefined ? HIDDEN : value
  }
  return shown
}
