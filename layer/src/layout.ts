/** What lies where below `/opt`: the one list. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import type { Archived } from './archive.ts'
import { filesOf } from './contents.ts'
import { placePackages } from './placement.ts'
import { SIDECAR_EXECUTABLE, sidecarFiles } from './sidecar-files.ts'

/** Where Lambda's Node runtimes look for a layer's packages. */
const PACKAGES = 'nodejs/node_modules'

/** Programs by their path below `/opt`, each made of a file of this package. What is in `extensions` Lambda starts. */
const PROGRAMS: Readonly<Record<string, string>> = {
  leasehold: 'src/wrapper.sh',
}

/** @param root this package's folder, whose dependencies go into the layer */
export function layout(root: string, withSidecar: boolean): Map<string, Archived> {
  const files = new Map<string, Archived>()
  for (const placed of placePackages(root)) {
    for (const [name, bytes] of filesOf(placed)) files.set(`${PACKAGES}/${placed.target}/${name}`, { bytes })
  }
  for (const [path, source] of Object.entries(PROGRAMS)) {
    files.set(path, { bytes: readFileSync(join(root, source)), executable: true })
  }
  for (const [path, bytes] of withSidecar ? sidecarFiles() : []) {
    files.set(path, path === SIDECAR_EXECUTABLE ? { bytes, executable: true } : { bytes })
  }
  return files
}
