/** Keeps secrets of a live configuration out of what is printed; whoever reads a member still gets it. */

import { inspect } from 'node:util'

/** A connection string has the password in it. */
const SECRET = /^(?:password\w*|connectionString|uri)$/

/** Makes `util.inspect`, and so the console, and `JSON.stringify` print `config` without its secrets. */
export function hideSecrets(config: object): void {
  for (const name of [inspect.custom, 'toJSON']) {
    // Not enumerable: a copy by spreading is the driver's, which complains of options that it does not know.
    Object.defineProperty(config, name, { value: printed })
  }
}

function printed(this: object): object {
  const shown = Object.entries(this).map(([name, value]) =>
    SECRET.test(name) && value !== undefined ? [name, '(hidden)'] : [name, value as unknown],
  )
  return Object.fromEntries(shown) as object
}
