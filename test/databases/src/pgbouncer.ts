// A private PgBouncer in front of a PostgreSQL server: the pooler that governance must notice and leave alone.
import { execFile } from 'node:child_process'
import { chown, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { Client } from 'pg'

import { LOOPBACK, freePort } from './free-port.ts'
import { findProgram } from './programs.ts'
import { ServerProcess } from './server-process.ts'
import type { DatabaseServer } from './server.ts'
import { createServerFolder, unprivilegedAccount } from './unprivileged.ts'

export interface Pgbouncer {
  readonly host: string
  readonly port: number
  /** CPU time used so far, in steps of 10 ms. Linux only. */
  cpuMs(): Promise<number>
  /** Ends it and removes its folder. The server behind it stays. */
  dispose(): Promise<void>
}

const REMEDY = 'install PgBouncer so that it is in the PATH (Debian, Ubuntu: apt-get install pgbouncer)'
const INSTALL_WITHIN_MS = 600_000
const INSTALL = `
  command -v pgbouncer || {
    install() { apt-get install -y --no-install-recommends pgbouncer; }
    install || { apt-get update && install; }
  }`

/**
 * Starts a PgBouncer in transaction mode that lets the server's ordinary login in. Installs it if it is missing and
 * this process is root on a system with apt; otherwise throws with the remedy.
 *
 * @param settings further lines of its `[pgbouncer]` section; they win over the ones this library chooses
 */
export async function startPgbouncer(
  server: DatabaseServer,
  settings: Readonly<Record<string, string>> = {},
): Promise<Pgbouncer> {
  const file = findProgram('pgbouncer') ?? (await install())
  const account = unprivilegedAccount()
  const directory = await createServerFolder('pgbouncer', account)
  const port = await freePort()
  const { user, password } = server.login
  const users = join(directory, 'users.txt')
  const configuration = join(directory, 'pgbouncer.ini')
  const lines = {
    listen_addr: LOOPBACK,
    listen_port: `${port}`,
    unix_socket_dir: '',
    auth_type: 'plain',
    auth_file: users,
    pool_mode: 'transaction',
    default_pool_size: '1',
    // What the driver's own start-up message has in it.
    ignore_startup_parameters: 'extra_float_digits',
    ...settings,
  }
  const pooler = new ServerProcess({
    name: 'PgBouncer',
    directory,
    command: { file, args: [configuration], ...account },
    stopSignal: 'SIGINT',
    probe: () => probe({ host: LOOPBACK, port, database: server.database, user, password }),
    secrets: [password],
  })
  try {
    await writeFile(users, `"${user}" "${password}"\n`, { mode: 0o600 })
    await writeFile(
      configuration,
      [
        '[databases]',
        `${server.database} = host=${server.host} port=${server.port}`,
        '[pgbouncer]',
        ...Object.entries(lines).map(([name, value]) => `${name} = ${value}`),
        '',
      ].join('\n'),
    )
    if (account) for (const path of [users, configuration]) await chown(path, account.uid, account.gid)
    await pooler.start()
  } catch (error) {
    await pooler.dispose()
    throw error
  }
  return {
    host: LOOPBACK,
    port,
    cpuMs: () => pooler.lifecycle.cpuMs(),
    dispose: () => pooler.dispose(),
  }
}

async function probe(target: ConstructorParameters<typeof Client>[0]): Promise<void> {
  const client = new Client(target)
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.query('select 1')
  } finally {
    await client.end()
  }
}

async function install(): Promise<string> {
  const possible = process.getuid?.() === 0 && findProgram('apt-get') && findProgram('flock')
  if (!possible) throw new Error(`PgBouncer is not here: ${REMEDY}`)
  const lock = join(tmpdir(), 'leasehold-apt.lock')
  await promisify(execFile)('flock', [lock, 'sh', '-c', INSTALL], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
    timeout: INSTALL_WITHIN_MS,
    maxBuffer: 64 << 20,
  })
  const file = findProgram('pgbouncer')
  if (file === undefined) throw new Error(`PgBouncer was installed, but is not found: ${REMEDY}`)
  return file
}
