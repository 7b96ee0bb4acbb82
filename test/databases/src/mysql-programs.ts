// Where Oracle's MySQL server is: in the folder that install-mysql.sh makes, or in the PATH.
import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { findProgram } from './programs.ts'
import type { Command } from './server-process.ts'

export interface MysqlPrograms {
  /** mysqld, and the arguments without which it does not even tell its version. */
  readonly mysqld: Command
  /** The data of a new server, to be copied. */
  readonly initializedData: string | undefined
}

export const MYSQL_REMEDY: string =
  'run test/databases/install-mysql.sh (Debian, Ubuntu; no root needed; 60 MB), ' +
  'or put the mysqld of MySQL 8.0.14 or later in the PATH'

const VERSION_WITHIN_MS = 10_000

export async function findMysql(): Promise<MysqlPrograms | undefined> {
  return installedMysql(mysqlRoot()) ?? (await systemMysql())
}

/** mysqld and mariadbd refuse to be root unless told to. */
export function asRoot(): readonly string[] {
  return process.getuid?.() === 0 ? ['--user=root'] : []
}

function mysqlRoot(): string {
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache')
  return process.env['LEASEHOLD_MYSQL_ROOT'] ?? join(cache, 'leasehold', 'mysql-root')
}

/**
 * The folder holds another release of the distribution, C library included. Its dynamic loader starts
 * programs with its own libraries, without chroot and therefore without root or mounts.
 */
function installedMysql(root: string): MysqlPrograms | undefined {
  const mysqld = join(root, 'usr/sbin/mysqld')
  if (!existsSync(mysqld)) return undefined
  const libraries = onlyEntry(join(root, 'usr/lib'), /-linux-gnu$/)
  const loader = libraries && onlyEntry(libraries, /^ld-linux-.*\.so\.\d+$/)
  if (!loader) throw new Error(`${root} holds mysqld but no dynamic loader: remove it and ${MYSQL_REMEDY}`)
  const args = ['--library-path', libraries, mysqld, '--no-defaults', `--basedir=${join(root, 'usr')}`]
  const initializedData = join(root, 'initialized-data')
  return {
    mysqld: { file: loader, args },
    initializedData: existsSync(initializedData) ? initializedData : undefined,
  }
}

/** MariaDB also calls itself `mysqld`, so that it has to be asked. */
async function systemMysql(): Promise<MysqlPrograms | undefined> {
  const file = findProgram('mysqld')
  if (file === undefined) return undefined
  const { stdout } = await promisify(execFile)(file, ['--no-defaults', '--version'], {
    timeout: VERSION_WITHIN_MS,
  })
  if (stdout.includes('MariaDB')) return undefined
  return { mysqld: { file, args: ['--no-defaults'] }, initializedData: undefined }
}

function onlyEntry(folder: string, name: RegExp): string | undefined {
  const entry = readdirSync(folder).find((candidate) => name.test(candidate))
  return entry === undefined ? undefined : join(folder, entry)
}
