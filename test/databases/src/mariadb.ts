// A private MariaDB server, from the distribution's package.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

import type { IamOptions } from './iam.ts'
import { findMariadb, installMariadb } from './mariadb-programs.ts'
import type { MariadbPrograms } from './mariadb-programs.ts'
import { startMysqlFamily } from './mysql-family.ts'
import { asRoot } from './mysql-programs.ts'
import { requirePam } from './pam.ts'
import type { DatabaseServer, ServerOptions } from './server.ts'

const INITIALIZE_WITHIN_MS = 60_000

export interface MariadbOptions extends ServerOptions {
  /**
   * Users who log in by token, through the plugin auth_pam with the clear text of RDS. Needs
   * {@link ServerOptions.tls} and root. Unlike PostgreSQL, MariaDB finds out that a client has no TLS after it
   * has taken the token: a client must refuse by itself.
   */
  readonly iam?: IamOptions | undefined
}

/**
 * Starts a MariaDB server of its own on the loopback address. Installs MariaDB if it is missing and this
 * process is root on a system with apt; otherwise throws with the remedy. `maxConnections` is at least 10
 * (the server's rule).
 */
export async function startMariadb(options: MariadbOptions = {}): Promise<DatabaseServer> {
  if (options.iam) {
    requirePam()
    if (!options.tls) throw new Error('`iam` needs `tls`: tokens are for TLS only')
  }
  const programs = findMariadb() ?? (await installMariadb())
  return startMysqlFamily(
    {
      engine: 'mariadb',
      name: 'MariaDB',
      command: { file: programs.mariadbd, args: ['--no-defaults', ...asRoot()] },
      initialize: (data, temporary) => initialize(programs, data, temporary),
      // Connections to this port are counted apart from all others: neither a slot nor Threads_connected.
      controlPort: (port) => ({ extra_port: `${port}`, extra_max_connections: '10' }),
      controlSessions: 0,
      settings: { innodb_log_file_size: '8M' },
      processlist: 'information_schema.processlist',
    },
    options,
  )
}

async function initialize({ installDb }: MariadbPrograms, data: string, temporary: string): Promise<void> {
  const accounts = ['--auth-root-authentication-method=socket', '--skip-test-db', '--skip-name-resolve']
  const sizes = ['--innodb-log-file-size=8M', '--innodb-buffer-pool-size=32M', '--innodb-doublewrite=OFF']
  const args = [
    '--no-defaults',
    `--datadir=${data}`,
    `--tmpdir=${temporary}`,
    ...asRoot(),
    ...accounts,
    ...sizes,
  ]
  await promisify(execFile)(installDb, args, { timeout: INITIALIZE_WITHIN_MS })
}
