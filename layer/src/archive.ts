/** A zip file that depends on nothing but its contents: sorted, with one time and one mode for all. */

import { type Zippable, zipSync } from 'fflate'

/** The earliest time that zip can write; in local time, which is what zip writes, so the same everywhere. */
const MTIME = new Date(1980, 0, 1)
const UNIX = 3
const REGULAR_FILE_644 = 0o100644 << 16

export function archive(files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const entries: Zippable = {}
  for (const [path, bytes] of [...files].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    entries[path] = [bytes, { level: 9, mtime: MTIME, os: UNIX, attrs: REGULAR_FILE_644 }]
  }
  return zipSync(entries)
}
