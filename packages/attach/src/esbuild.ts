/** @leasehold/attach/esbuild: a plugin by which the drivers in a bundle make themselves known as they load. */

import { readFile } from 'node:fs/promises'

/** What of esbuild's plugin interface is used, so that its types are not needed. */
export interface EsbuildPlugin {
  readonly name: string
  setup(build: EsbuildBuild): void
}

export interface EsbuildBuild {
  onStart(begin: () => void): void
  onLoad(
    options: { readonly filter: RegExp },
    load: (args: { readonly path: string }) => Promise<{ readonly contents: string; readonly loader: 'js' }>,
  ): void
  onEnd(end: () => { readonly warnings: { readonly text: string }[] }): void
}

/** The modules of both drivers that export one class each. */
const FILES =
  /[\\/](?:pg[\\/]lib[\\/]client|pg-pool[\\/]index|mysql2[^\\/]*[\\/]lib[\\/]base[\\/](?:connection|pool))\.js$/

/** Calls what attachment has put there, if it was loaded before. */
const MAKES_ITSELF_KNOWN = "\n;globalThis[Symbol.for('leasehold.attach.meet.1')]?.(module.exports)\n"

/**
 * Has the classes of `pg` and `mysql2` in a bundle hand themselves over to attachment as soon as they load. Without it
 * they are found by their shape; with it nothing depends on that being watched. Changes nothing where the function runs
 * without attachment. Warns where the bundle has neither driver in it.
 */
export function leasehold(): EsbuildPlugin {
  return {
    name: 'leasehold',
    setup: (build) => {
      let found = 0
      build.onStart(() => {
        found = 0
      })
      build.onLoad({ filter: FILES }, async ({ path }) => {
        found += 1
        return { contents: (await readFile(path, 'utf8')) + MAKES_ITSELF_KNOWN, loader: 'js' }
      })
      build.onEnd(() => {
        const text =
          'neither pg nor mysql2 is in this bundle: if they are external, the plugin is not needed; they are found as they are'
        return { warnings: found === 0 ? [{ text }] : [] }
      })
    },
  }
}
