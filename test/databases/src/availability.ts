// Which servers this machine has, for suites, the demo and benchmarks that run over all of them.
import { canInstallMariadb, findMariadb, MARIADB_REMEDY } from './mariadb-programs.ts'
import { startMariadb } from './mariadb.ts'
import { findMysql, MYSQL_REMEDY } from './mysql-programs.ts'
import { startMysql } from './mysql.ts'
import { findPostgres, postgresRemedy } from './postgres-binaries.ts'
import type { PostgresMajor } from './postgres-binaries.ts'
import { startPostgres } from './postgres.ts'
import type { DatabaseServer, Engine, ServerOptions } from './server.ts'

export interface StartableServer {
  /** For people. MariaDB's and MySQL's version is known only once it runs: {@link DatabaseServer.name}. */
  readonly name: string
  readonly engine: Engine
  /** Can be started without installing anything. */
  readonly available: boolean
  /** What to do if it is not available. */
  readonly remedy: string
  readonly start: (options?: ServerOptions) => Promise<DatabaseServer>
}

/** All servers that this library knows, whether they are here or not. Starts and installs nothing. */
export async function availability(): Promise<readonly StartableServer[]> {
  return [
    postgres(18),
    postgres(15),
    {
      name: 'MariaDB',
      engine: 'mariadb',
      available: findMariadb() !== undefined,
      remedy: canInstallMariadb() ? 'nothing: the first start installs it' : MARIADB_REMEDY,
      start: startMariadb,
    },
    {
      name: 'MySQL',
      engine: 'mysql',
      available: (await findMysql()) !== undefined,
      remedy: MYSQL_REMEDY,
      start: startMysql,
    },
  ]
}

function postgres(major: PostgresMajor): StartableServer {
  return {
    name: `PostgreSQL ${major}`,
    engine: 'postgresql',
    available: findPostgres(major) !== undefined,
    remedy: postgresRemedy(major),
    start: (options) => startPostgres({ ...options, major }),
  }
}
