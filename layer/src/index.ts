/** @leasehold/layer: the packages, their drivers and what attaches them, as a Lambda layer. */

import { fileURLToPath } from 'node:url'

import { archive } from './archive.ts'
import { layout } from './layout.ts'

/** The layer's zip file. The same installed packages give the same bytes. */
export function buildLayer(): Uint8Array {
  return archive(layout(fileURLToPath(new URL('..', import.meta.url))))
}
