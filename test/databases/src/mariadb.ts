// A private MariaDB server, from the distribution's package.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

import { findMariadb, installMariadb } from './mariadb-programs.ts'
import type { MariadbPrograms } from './mariadb-programs.ts'
import { startMysqlFamily } from './mysql-family.ts'
import { asRoot } from './mysql-programs.ts'
import type { DatabaseServer, ServerOptions } from './server.ts'

const INITIALIZE_WITHIN_MS = 60_000

/**
 * Starts a MariaDB server of its own on the loopback address. Installs MariaDB if it is missing and this
 * process is root on a system with apt; otherwise throws with the remedy. `maxConnections` is at least 10
 * (the server's rule).
 */
export async function startMariadb(options: ServerOptions = {}): Promise<DatabaseServer> {
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
