/** The AWS SDK's clients are the function's or the runtime's: found when first needed, never shipped. */

import { createRequire } from 'node:module'
import { join } from 'node:path'

import type { Env } from '../env.ts'
import { LeaseholdError } from '../errors.ts'

/**
 * What to do when `import(name)` fails. Written as its `.catch`, so that bundlers see that the package may be
 * missing. Node looks for ES modules next to the importing file alone: from a layer that is never the function's own
 * SDK, and the runtime's only if the runtime helps. So it is looked for next to the function, in the folders of
 * `NODE_PATH`, and in the runtime's own folder. Resolves to undefined where it is in none of them.
 *
 * @throws LeaseholdError `CREDENTIALS_INVALID` where it is there and does not load
 */
export function elsewhere(name: string, env: Env): (cause: unknown) => unknown {
  return (cause) => {
    if (!isMissing(cause)) throw doesNotLoad(name, cause)
    for (const folder of [env['LAMBDA_TASK_ROOT'], env['LAMBDA_RUNTIME_DIR'], '/']) {
      if (!folder) continue
      try {
        return createRequire(join(folder, 'leasehold.js'))(name) as unknown
      } catch (error) {
        if (!isMissing(error)) throw doesNotLoad(name, error)
      }
    }
    return undefined
  }
}

/** Like `elsewhere`, for what nothing else can do. @throws LeaseholdError `CREDENTIALS_INVALID` */
export function elsewhereOrFail(name: string, env: Env): (cause: unknown) => unknown {
  const find = elsewhere(name, env)
  return (cause) => {
    const found = find(cause)
    if (found !== undefined) return found
    throw notInstalled(name, cause)
  }
}

export function notInstalled(name: string, cause?: unknown, more = ''): LeaseholdError {
  return new LeaseholdError(
    'CREDENTIALS_INVALID',
    `cannot find \`${name}\`, an optional peer of @leasehold/core: add it to your dependencies ` +
      `(Lambda's managed runtimes bring the SDK, a container image only what you put into it)${more}`,
    { cause },
  )
}

function doesNotLoad(name: string, cause: unknown): LeaseholdError {
  return new LeaseholdError(
    'CREDENTIALS_INVALID',
    `\`${name}\` is there and does not load: is it complete?`,
    {
      cause,
    },
  )
}

const MISSING: readonly unknown[] = ['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND']

function isMissing(error: unknown): boolean {
  return MISSING.includes((error as { code?: unknown } | undefined)?.code)
}
