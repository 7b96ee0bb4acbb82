// Programs of another release of the distribution, each unpacked below one folder with its own C library, as
// test/debian-unstable.sh does it.
import { existsSync, readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

import type { Command } from './server-process.ts'

/** The folder that the environment variable names; else the one of this name where the scripts put it. */
export function unpackedRoot(variable: string, name: string): string {
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache')
  return process.env[variable] ?? join(cache, 'leasehold', name)
}

/**
 * The folder's dynamic loader starts its programs with its own libraries, without chroot and therefore
 * without root or mounts. `undefined` where the program is not there; throws where only the loader is missing.
 */
export function unpackedProgram(root: string, program: string, remedy: string): Command | undefined {
  const path = join(root, program)
  if (!existsSync(path)) return undefined
  const libraries = onlyEntry(join(root, 'usr/lib'), /-linux-gnu$/)
  const loader = libraries && onlyEntry(libraries, /^ld-linux-.*\.so\.\d+$/)
  if (!loader) throw new Error(`${root} holds ${program} but no dynamic loader: remove it and ${remedy}`)
  return { file: loader, args: ['--library-path', libraries, path] }
}

function onlyEntry(folder: string, name: RegExp): string | undefined {
  const entry = readdirSync(folder).find((candidate) => name.test(candidate))
  return entry === undefined ? undefined : join(folder, entry)
}
