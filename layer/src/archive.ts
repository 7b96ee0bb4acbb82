/** A zip file that depends on nothing but its contents: sorted, with one time for all, and two modes. */

import { type Zippable, zipSync } from 'fflate'

export interface Archived {
  readonly bytes: Uint8Array
  /** Lambda runs it: mode 755. All others have 644. */
  readonly executable?: boolean
}

/** The earliest time that zip can write; in local time, which is what zip writes, so the same everywhere. */
const MTIME = new Date(1980, 0, 1)
const UNIX = 3
const REGULAR_FILE = 0o100000

export function archive(files: ReadonlyMap<string, Archived>): Uint8Array {
  const entries: Zippable = {}
  for (const [path, { bytes, executable }] of [...files].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const attrs = (REGULAR_FILE | (executable === true ? 0o755 : 0o644)) << 16
    entries[path] = [bytes, { level: 9, mtime: MTIME, os: UNIX, attrs }]
  }
  return zipSync(entries)
}
