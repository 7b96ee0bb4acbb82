// What MariaDB and MySQL have in common once their programs are found: accounts, sessions, and the server's
// face.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { escape } from 'mysql2'

import { LOOPBACK, freePort } from './free-port.ts'
import { iamGate } from './iam-gate.ts'
import type { IamOptions } from './iam.ts'
import { APP, nextLogin, randomPassword } from './login.ts'
import { mariadbIam } from './mariadb-iam.ts'
import { CONTROL_USER, MysqlControl } from './mysql-control.ts'
import { sessionReader } from './mysql-sessions.ts'
import type { Processlist } from './mysql-sessions.ts'
import type { Rows } from './rows.ts'
import { ServerProcess } from './server-process.ts'
import type { Command } from './server-process.ts'
import type { DatabaseServer, Login, ServerOptions } from './server.ts'
import { tlsPaths, writeTlsFiles } from './tls-files.ts'
import { createServerFolder } from './unprivileged.ts'

export interface Flavour {
  readonly engine: 'mariadb' | 'mysql'
  /** For messages, until the server has told its version. */
  readonly name: string
  /** The program, and arguments that must come first. */
  readonly command: Command
  /** Makes the data folder of a new server; `temporary` is the server's own as well. */
  readonly initialize: (data: string, temporary: string) => Promise<void>
  /** Settings that open the port for the administrator. */
  readonly controlPort: (port: number) => Readonly<Record<string, string>>
  /** Sessions of the administrator that count against `max_connections`. */
  readonly controlSessions: number
  readonly settings: Readonly<Record<string, string>>
  readonly processlist: Processlist
}

/** Nothing is forced to disk, but what was committed is with the operating system, and so survives a kill. */
const SETTINGS: Readonly<Record<string, string>> = {
  bind_address: LOOPBACK,
  skip_name_resolve: 'ON',
  innodb_flush_log_at_trx_commit: '2',
  innodb_doublewrite: 'OFF',
  innodb_buffer_pool_size: '32M',
}

/** MariaDB only: Oracle's PAM plugin is not in its free edition. */
export interface MysqlFamilyOptions extends ServerOptions {
  readonly iam?: IamOptions | undefined
}

export async function startMysqlFamily(
  flavour: Flavour,
  options: MysqlFamilyOptions,
): Promise<DatabaseServer> {
  const directory = await createServerFolder(flavour.engine)
  const data = join(directory, 'data')
  const accounts = join(directory, 'accounts.sql')
  const [port, controlPort, password] = [await freePort(), await freePort(), randomPassword()]
  const control = new MysqlControl(controlPort, password)
  const iam = options.iam && mariadbIam(iamGate({ iam: options.iam, directory, port }), directory)
  const { certificate, privateKey } = tlsPaths(directory)
  const settings = {
    ...SETTINGS,
    ...flavour.settings,
    ...(options.tls ? { ssl_cert: certificate, ssl_key: privateKey } : {}),
    ...iam?.settings,
    ...(options.maxConnections === undefined ? {} : { max_connections: `${options.maxConnections}` }),
    ...options.settings,
    ...flavour.controlPort(controlPort),
    port: `${port}`,
    datadir: data,
    // A server that starts removes other servers' temporary tables from a folder they share.
    tmpdir: directory,
    socket: join(directory, 'socket'),
    pid_file: join(directory, 'pid'),
    init_file: accounts,
  }
  const { command } = flavour
  const more = Object.entries(settings).map(([key, value]) => `--${key}=${value}`)
  const server = new ServerProcess({
    name: flavour.name,
    directory,
    filesElsewhere: iam && [iam.gate.serviceFile],
    command: { ...command, args: [...command.args, ...more] },
    stopSignal: 'SIGTERM',
    probe: async () => void (await control.query('select 1')),
    beforeEnd: () => control.close(),
    secrets: [password],
  })
  try {
    await writeFile(accounts, controlAccount(password), { mode: 0o600 })
    await flavour.initialize(data, directory)
    if (options.tls) await writeTlsFiles(options.tls, directory)
    await iam?.install()
    await server.start()
    for (const user of iam?.gate.face.users ?? []) await control.query(iam?.account(user) ?? '')
    const { maxConnections, tls } = options
    const face = await databaseServer(flavour, { server, control, port, maxConnections })
    return { ...face, tls: tls && { ca: tls.ca }, iam: iam?.gate.face }
  } catch (error) {
    await server.dispose()
    throw error
  }
}

interface Running {
  readonly server: ServerProcess
  readonly control: MysqlControl
  readonly port: number
  readonly maxConnections: number | undefined
}

async function databaseServer(flavour: Flavour, running: Running): Promise<DatabaseServer> {
  const { server, control, port } = running
  const admin = (sql: string): Promise<Rows> => control.query(sql)
  const [facts] = await admin('select version() as version, @@max_connections as max_connections')
  const version = String(facts?.['version']).split('-')[0] ?? ''
  const maxConnections = Number(facts?.['max_connections'])
  if (running.maxConnections !== undefined && running.maxConnections !== maxConnections) {
    throw new Error(`${flavour.name} made ${maxConnections} of max_connections = ${running.maxConnections}`)
  }
  const readSessions = sessionReader(admin, flavour.processlist)
  let logins = 0
  const createLogin: DatabaseServer['createLogin'] = async (limits): Promise<Login> => {
    const login = nextLogin(logins++, limits)
    await admin(loginAccount(login, limits?.maxConnections))
    return login
  }
  return {
    engine: flavour.engine,
    version,
    name: `${flavour.engine === 'mysql' ? 'MySQL' : 'MariaDB'} ${version.split('.').slice(0, 2).join('.')}`,
    host: LOOPBACK,
    port,
    database: APP,
    login: await createLogin(),
    slots: maxConnections - flavour.controlSessions,
    controlSessions: flavour.controlSessions,
    createLogin,
    setPassword: async (user, password) =>
      void (await admin(`alter user ${escape(user)} identified by ${escape(password)}`)),
    admin,
    sessions: async (user) => {
      const all = await readSessions()
      return all.filter((session) => user === undefined || session.user === user)
    },
    terminate: (id) => terminate(control, id),
    ...server.lifecycle,
  }
}

async function terminate(control: MysqlControl, id: number): Promise<void> {
  try {
    await control.query(`kill ${id}`)
  } catch (error) {
    const isGone = error instanceof Error && 'errno' in error && error.errno === ER_NO_SUCH_THREAD
    if (!isGone) throw error
  }
}

const ER_NO_SUCH_THREAD = 1094

/** Runs at every start, as the server's own superuser; changes nothing the second time. */
function controlAccount(password: string): string {
  return [
    `create database if not exists ${APP};`,
    `create user if not exists ${CONTROL_USER}@'${LOOPBACK}' identified by '${password}';`,
    `grant all on *.* to ${CONTROL_USER}@'${LOOPBACK}' with grant option;`,
    `alter user root@localhost identified by '${password}';`,
    '',
  ].join('\n')
}

function loginAccount({ user, password }: Login, maxConnections: number | undefined): string {
  const limit = maxConnections === undefined ? '' : `with max_user_connections ${maxConnections}`
  return `
    create user ${user} identified by '${password}' ${limit};
    grant all on ${APP}.* to ${user}`
}
