// A private PostgreSQL server. Tuned for tests: nothing is forced to disk, but what was committed survives a
// kill.
import { execFile } from 'node:child_process'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { escapeIdentifier, escapeLiteral } from 'pg'

import { LOOPBACK, freePort } from './free-port.ts'
import { iamGate } from './iam-gate.ts'
import type { Iam, IamOptions } from './iam.ts'
import { APP, nextLogin, randomPassword } from './login.ts'
import { findPostgres, postgresRemedy } from './postgres-binaries.ts'
import type { PostgresMajor } from './postgres-binaries.ts'
import { runAsSuperuser } from './postgres-control.ts'
import type { SuperuserAccess } from './postgres-control.ts'
import { checkIamPrograms, hbaFile, iamRole, installIam } from './postgres-iam.ts'
import { ownership, privileges } from './postgres-roles.ts'
import { textOf } from './rows.ts'
import type { Rows } from './rows.ts'
import { ServerProcess } from './server-process.ts'
import type { DatabaseServer, Login, LoginLimits, ServerOptions, ServerSession } from './server.ts'
import { tlsPaths, writeTlsFiles } from './tls-files.ts'
import type { TlsFiles } from './tls-files.ts'
import { createServerFolder, reachableCopy, unprivilegedAccount } from './unprivileged.ts'
import type { Account } from './unprivileged.ts'

export interface PostgresOptions extends ServerOptions {
  /** @defaultValue 18 */
  readonly major?: PostgresMajor | undefined
  /** The folder above `bin` of programs to be used instead, for other versions. */
  readonly programs?: string | undefined
  /**
   * Users who log in by token, over TLS only, as RDS has it: members of the role `rds_iam`. Needs
   * {@link ServerOptions.tls}, root, and programs built with PAM: 15 of Debian is, the embedded 18 is not.
   */
  readonly iam?: IamOptions | undefined
}

const SUPERUSER = 'postgres'
const INITDB_WITHIN_MS = 60_000
const ENVIRONMENT: Readonly<Record<string, string>> = { LC_ALL: 'C', PATH: '/usr/bin:/bin' }

const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: LOOPBACK,
  unix_socket_directories: '',
  shared_buffers: '32MB',
  fsync: 'off',
  full_page_writes: 'off',
  // Its workers would be counted by pg_stat_database.numbackends, and a census be one too high now and then.
  autovacuum: 'off',
}

/**
 * Starts a PostgreSQL server of its own on the loopback address. Throws with the remedy if it is not
 * installed.
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<DatabaseServer> {
  const major = options.major ?? 18
  const name = options.programs === undefined ? `PostgreSQL ${major}` : 'PostgreSQL'
  const installed = options.programs ?? findPostgres(major)
  if (installed === undefined) throw new Error(`${name} is not here: ${postgresRemedy(major)}`)
  if (options.iam) checkIamPrograms(name, installed, options)
  const account = unprivilegedAccount()
  const directory = await createServerFolder('postgresql', account)
  const binaries = join(await reachableCopy(installed, join(directory, 'programs'), account), 'bin')
  const data = join(directory, 'data')
  const access = { port: await freePort(), user: SUPERUSER, password: randomPassword(), database: APP }
  const gate = options.iam && iamGate({ iam: options.iam, directory, port: access.port, account })
  const server = new ServerProcess({
    name,
    directory,
    filesElsewhere: gate && [gate.serviceFile],
    command: {
      file: join(binaries, 'postgres'),
      args: ['-D', data, ...settingArguments(access.port, directory, options)],
      env: ENVIRONMENT,
      ...account,
    },
    stopSignal: 'SIGINT',
    probe: async () => void (await runAsSuperuser({ ...access, database: SUPERUSER }, 'select 1')),
    secrets: [access.password],
  })
  try {
    await initialize(join(binaries, 'initdb'), data, access.password, account)
    if (options.tls) await writeTlsFiles(options.tls, directory, account)
    if (gate) await installIam(gate, directory)
    await server.start()
    const face = await databaseServer(name, server, access, { tls: options.tls, iam: gate?.face })
    for (const user of gate?.face.users ?? []) await face.admin(iamRole(user))
    return face
  } catch (error) {
    await server.dispose()
    throw error
  }
}

async function databaseServer(
  name: string,
  server: ServerProcess,
  access: SuperuserAccess,
  { tls, iam }: { readonly tls: TlsFiles | undefined; readonly iam: Iam | undefined },
): Promise<DatabaseServer> {
  const admin = (sql: string): Promise<Rows> => runAsSuperuser(access, sql)
  await runAsSuperuser({ ...access, database: SUPERUSER }, `create database ${APP}`)
  let logins = 0
  const createLogin = async (limits: LoginLimits = {}): Promise<Login> => {
    const login = nextLogin(logins++, limits)
    await admin(`
      create role ${login.user} login password '${login.password}'
        connection limit ${limits.maxConnections ?? -1};
      ${logins === 1 ? ownership(login.user) : privileges(login.user)}`)
    return login
  }
  const login = await createLogin()
  const [facts] = await admin(`select
    split_part(current_setting('server_version'), ' ', 1) as version,
    current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
      - coalesce(current_setting('reserved_connections', true)::int, 0) as slots`)
  return {
    engine: 'postgresql',
    name,
    version: String(facts?.['version']),
    host: LOOPBACK,
    port: access.port,
    database: APP,
    login,
    slots: Number(facts?.['slots']),
    controlSessions: 0,
    tls: tls && { ca: tls.ca },
    iam,
    createLogin,
    setPassword: async (user, password) =>
      void (await admin(`alter role ${escapeIdentifier(user)} password ${escapeLiteral(password)}`)),
    admin,
    sessions: async (user) => {
      const rows = await admin(SESSIONS)
      return rows.map(serverSession).filter((session) => user === undefined || session.user === user)
    },
    terminate: async (id) => void (await admin(`select pg_terminate_backend(${id})`)),
    ...server.lifecycle,
  }
}

function settingArguments(
  port: number,
  directory: string,
  { maxConnections, settings, tls, iam }: PostgresOptions,
): readonly string[] {
  const limit: Record<string, string> =
    maxConnections === undefined ? {} : { max_connections: `${maxConnections}` }
  const { certificate, privateKey } = tlsPaths(directory)
  const secure = tls ? { ssl: 'on', ssl_cert_file: certificate, ssl_key_file: privateKey } : {}
  const rules = iam ? { hba_file: hbaFile(directory) } : {}
  const all = { ...SETTINGS, ...limit, ...secure, ...rules, ...settings, port: `${port}` }
  return Object.entries(all).flatMap(([key, value]) => ['-c', `${key}=${value}`])
}

async function initialize(initdb: string, data: string, password: string, account?: Account): Promise<void> {
  const passwordFile = `${data}.password`
  await writeFile(passwordFile, password, { mode: 0o644 })
  const args = ['-D', data, '--no-sync', `--username=${SUPERUSER}`, `--pwfile=${passwordFile}`]
  const more = ['--auth=scram-sha-256', '--encoding=UTF8', '--locale=C']
  await promisify(execFile)(initdb, [...args, ...more], {
    ...account,
    env: ENVIRONMENT,
    timeout: INITDB_WITHIN_MS,
  })
  await rm(passwordFile)
}

const SESSIONS = `
  select pid, usename, datname, application_name, state
  from pg_stat_activity
  where backend_type = 'client backend' and usename is not null
  order by pid`

function serverSession(row: Record<string, unknown>): ServerSession {
  const state = String(row['state'])
  return {
    id: Number(row['pid']),
    user: String(row['usename']),
    database: textOf(row['datname']),
    label: textOf(row['application_name']),
    idle: state.startsWith('idle'),
    inTransaction: state === 'active' ? undefined : state.startsWith('idle in transaction'),
  }
}
