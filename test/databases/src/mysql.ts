// A private MySQL server (Oracle's, not MariaDB), from the folder that install-mysql.sh makes.
import { execFile } from 'node:child_process'
import { cp } from 'node:fs/promises'
import { promisify } from 'node:util'

import { LOOPBACK } from './free-port.ts'
import { startMysqlFamily } from './mysql-family.ts'
import { MYSQL_REMEDY, asRoot, findMysql } from './mysql-programs.ts'
import type { MysqlPrograms } from './mysql-programs.ts'
import type { DatabaseServer, ServerOptions } from './server.ts'

const INITIALIZE_WITHIN_MS = 60_000

/**
 * Starts a MySQL server of its own on the loopback address. Throws with the remedy if it is not installed.
 */
export async function startMysql(options: ServerOptions = {}): Promise<DatabaseServer> {
  const programs = await findMysql()
  if (!programs) throw new Error(`MySQL is not here: ${MYSQL_REMEDY}`)
  const { file, args } = programs.mysqld
  return startMysqlFamily(
    {
      engine: 'mysql',
      name: 'MySQL',
      command: { file, args: [...args, ...asRoot()] },
      initialize: (data, temporary) => initialize(programs, data, temporary),
      // Never full, but its connections count: in Threads_connected, and against the limit of all others.
      controlPort: (port) => ({ admin_address: LOOPBACK, admin_port: `${port}` }),
      controlSessions: 1,
      settings: { mysqlx: 'OFF', skip_log_bin: 'ON', secure_file_priv: 'NULL' },
      processlist: 'performance_schema.processlist',
    },
    options,
  )
}

async function initialize(
  { mysqld, initializedData }: MysqlPrograms,
  data: string,
  temporary: string,
): Promise<void> {
  if (initializedData !== undefined) {
    await cp(initializedData, data, { recursive: true })
    return
  }
  const args = [
    ...mysqld.args,
    ...asRoot(),
    '--initialize-insecure',
    `--datadir=${data}`,
    `--tmpdir=${temporary}`,
  ]
  await promisify(execFile)(mysqld.file, args, { timeout: INITIALIZE_WITHIN_MS })
}
