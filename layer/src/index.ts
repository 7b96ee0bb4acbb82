/** @leasehold/layer: the packages, their drivers and what attaches them, as a Lambda layer. */

import { fileURLToPath } from 'node:url'

import { archive } from './archive.ts'
import { layout } from './layout.ts'

export interface LayerParts {
  /** Lambda starts what lies in `extensions`, also a sidecar that is off. @defaultValue true */
  readonly sidecar?: boolean
}

/** The layer's zip file. The same installed packages give the same bytes. */
export function buildLayer({ sidecar = true }: LayerParts = {}): Uint8Array {
  return archive(layout(fileURLToPath(new URL('..', import.meta.url)), sidecar))
}
