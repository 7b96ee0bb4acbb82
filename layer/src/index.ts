/** @leasehold/layer: the adapters and their drivers as a Lambda layer. */

import { fileURLToPath } from 'node:url'

import { archive } from './archive.ts'
import { filesOf } from './contents.ts'
import { placePackages } from './placement.ts'

/** Where Lambda's Node runtimes look for a layer's packages, below `/opt`. */
const PLACE = 'nodejs/node_modules'

/** The layer's zip file. The same installed packages give the same bytes. */
export function buildLayer(): Uint8Array {
  const root = fileURLToPath(new URL('..', import.meta.url))
  const files = new Map<string, Uint8Array>()
  for (const placed of placePackages(root)) {
    for (const [name, bytes] of filesOf(placed)) files.set(`${PLACE}/${placed.target}/${name}`, bytes)
  }
  return archive(files)
}
