// Which servers can take tokens here, for suites that run over all of them.
import { AUTH_PAM_REMEDY, canFindAuthPam } from './auth-pam.ts'
import type { IamOptions } from './iam.ts'
import { MARIADB_REMEDY, canInstallMariadb, findMariadb } from './mariadb-programs.ts'
import { startMariadb } from './mariadb.ts'
import { PAM_REMEDY, isPamAvailable } from './pam.ts'
import { findPostgres, postgresRemedy } from './postgres-binaries.ts'
import { isBuiltWithPam } from './postgres-iam.ts'
import { startPostgres } from './postgres.ts'
import type { DatabaseServer, Engine, ServerOptions } from './server.ts'
import type { TlsFiles } from './tls-files.ts'

export interface StartableIamServer {
  readonly name: string
  readonly engine: Engine
  /** Can be started; MariaDB and its plugin may be fetched for it. */
  readonly available: boolean
  /** What to do if it is not available. */
  readonly remedy: string
  readonly start: (
    options: ServerOptions & { readonly tls: TlsFiles; readonly iam: IamOptions },
  ) => Promise<DatabaseServer>
}

/** All servers that this library can make take tokens. Starts and installs nothing. MySQL can't: no plugin. */
export function iamAvailability(): readonly StartableIamServer[] {
  const postgres = findPostgres(15)
  const mariadb = findMariadb() !== undefined || canInstallMariadb()
  return [
    {
      name: 'PostgreSQL 15',
      engine: 'postgresql',
      available: isPamAvailable() && postgres !== undefined && isBuiltWithPam(postgres),
      remedy: isPamAvailable() ? postgresRemedy(15) : PAM_REMEDY,
      start: (options) => startPostgres({ ...options, major: 15 }),
    },
    {
      name: 'MariaDB',
      engine: 'mariadb',
      available: isPamAvailable() && mariadb && canFindAuthPam(),
      remedy: [isPamAvailable() ? [] : PAM_REMEDY, mariadb ? [] : MARIADB_REMEDY, AUTH_PAM_REMEDY]
        .flat()
        .join('; '),
      start: startMariadb,
    },
  ]
}
