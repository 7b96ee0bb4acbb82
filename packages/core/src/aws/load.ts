/** The AWS SDK's clients are the application's: loaded when first needed, never shipped. */

import { LeaseholdError } from '../errors.ts'

/**
 * What to do when `import(name)` fails. Written as its `.catch`, so that bundlers see that the package
 * may be missing.
 *
 * @throws LeaseholdError `CREDENTIALS_INVALID`
 */
export function notInstalled(name: string): (cause: unknown) => never {
  return (cause) => {
    throw new LeaseholdError(
      'CREDENTIALS_INVALID',
      `cannot load \`${name}\`, an optional peer of @leasehold/core: add it to your dependencies`,
      { cause },
    )
  }
}
