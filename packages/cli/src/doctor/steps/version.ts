/** Can this version of the server hold leases? */

import type { Engine } from '@leasehold/core'

import { runOn } from '../../target/connector.ts'
import type { Examination } from '../examination.ts'
import { fine, goOn, type StepOutcome, wrong } from '../finding.ts'

const NAMES: Readonly<Record<Engine, string>> = {
  postgresql: 'PostgreSQL',
  mysql: 'MySQL',
  mariadb: 'MariaDB',
}

/** The oldest, major and minor. */
const OLDEST: Readonly<Record<Engine, readonly [number, number]>> = {
  postgresql: [14, 0],
  mysql: [8, 0],
  mariadb: [10, 6],
}

export async function examineVersion(examination: Examination): Promise<StepOutcome> {
  const { engine = 'postgresql', pool } = examination
  const statement = engine === 'postgresql' ? 'show server_version' : 'select version() as server_version'
  const [row] = await examination.within('the version', () => runOn(pool, statement))
  const version = (row?.['server_version'] as string | undefined) ?? ''
  const [major = 0, minor = 0] = version.split(/[^0-9]+/).map(Number)
  const [oldestMajor, oldestMinor] = OLDEST[engine]
  const name = `${NAMES[engine]} ${version}`
  const facts = { engine, version }
  const isOld = major < oldestMajor || (major === oldestMajor && minor < oldestMinor)
  // A lease is what it lacks, not the rest: so the examination goes on.
  return goOn(isOld ? wrong('VERSION_TOO_OLD', `${name} holds no leases`, { facts }) : fine(name, facts))
}
