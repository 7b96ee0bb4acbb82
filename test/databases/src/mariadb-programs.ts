// Where MariaDB's programs are: installed, or installed now, from the distribution's packages.
import { execFile } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { findProgram } from './programs.ts'

export interface MariadbPrograms {
  readonly mariadbd: string
  readonly installDb: string
}

export const MARIADB_REMEDY: string =
  'install MariaDB so that mariadbd and mariadb-install-db are in the PATH ' +
  '(Debian, Ubuntu: apt-get install mariadb-server-core mariadb-client)'

const INSTALL_WITHIN_MS = 600_000

/**
 * One at a time, and nothing for those who come second: apt waits for dpkg's lock if told so, but not for its
 * other two. The package lists are fetched only if the ones that are there do not do.
 */
const INSTALL = `
  command -v mariadbd || {
    install() { apt-get install -y --no-install-recommends mariadb-server-core mariadb-client; }
    install || { apt-get update && install; }
  }`

export function findMariadb(): MariadbPrograms | undefined {
  const mariadbd = findProgram('mariadbd')
  const installDb = findProgram('mariadb-install-db')
  return mariadbd !== undefined && installDb !== undefined ? { mariadbd, installDb } : undefined
}

/** True if {@link installMariadb} can do something: root on a system with apt. */
export function canInstallMariadb(): boolean {
  return (
    process.getuid?.() === 0 && findProgram('apt-get') !== undefined && findProgram('flock') !== undefined
  )
}

/** Installs MariaDB's server, without its service. Throws with the remedy where that can't be done. */
export async function installMariadb(): Promise<MariadbPrograms> {
  if (!canInstallMariadb()) throw new Error(`MariaDB is not here: ${MARIADB_REMEDY}`)
  const lock = join(tmpdir(), 'leasehold-apt.lock')
  try {
    await promisify(execFile)('flock', [lock, 'sh', '-c', INSTALL], {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
      timeout: INSTALL_WITHIN_MS,
      maxBuffer: 64 << 20,
    })
  } catch (error) {
    throw new Error(`MariaDB can't be installed: ${String(error)}\n${MARIADB_REMEDY}`, { cause: error })
  }
  const programs = findMariadb()
  if (!programs) throw new Error(`MariaDB was installed, but is not found: ${MARIADB_REMEDY}`)
  return programs
}
