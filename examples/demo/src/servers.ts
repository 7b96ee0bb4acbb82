// Starts the servers that can be started, and says what to do about those that can't.
import {
  availability,
  type DatabaseServer,
  type Engine,
  startMariadb,
  type ServerOptions,
  startMysql,
  startPostgres,
} from '@leasehold/test-databases'

import { MAX_CONNECTIONS } from './scenario.ts'

export interface Servers {
  readonly started: readonly DatabaseServer[]
  /** A sentence for each engine that could not be started, its remedy included. */
  readonly problems: readonly string[]
}

const STARTERS: Readonly<Record<Engine, (options: ServerOptions) => Promise<DatabaseServer>>> = {
  postgresql: startPostgres,
  mariadb: startMariadb,
  mysql: startMysql,
}

/** Those that would have to be installed first, which takes its time. */
export async function missingEngines(engines: readonly Engine[]): Promise<readonly Engine[]> {
  const here = new Set(
    (await availability()).filter(({ available }) => available).map(({ engine }) => engine),
  )
  return engines.filter((engine) => !here.has(engine))
}

/** All at the same time; in the order of `engines`. */
export async function startServers(engines: readonly Engine[]): Promise<Servers> {
  const results = await Promise.allSettled(
    engines.map((engine) => STARTERS[engine]({ maxConnections: MAX_CONNECTIONS })),
  )
  const started: DatabaseServer[] = []
  const problems: string[] = []
  for (const result of results) {
    if (result.status === 'rejected') problems.push(messageOf(result.reason))
    else started.push(result.value)
  }
  return { started, problems }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
