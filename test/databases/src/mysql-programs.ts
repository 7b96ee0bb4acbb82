// Where Oracle's MySQL server is: in the folder that install-mysql.sh makes, or in the PATH.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { findProgram } from './programs.ts'
import type { Command } from './server-process.ts'
import { unpackedProgram, unpackedRoot } from './unpacked.ts'

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
  return installedMysql(unpackedRoot('LEASEHOLD_MYSQL_ROOT', 'mysql-root')) ?? (await systemMysql())
}

/** mysqld and mariadbd refuse to be root unless told to. */
export function asRoot(): readonly string[] {
  return process.getuid?.() === 0 ? ['--user=root'] : []
}

function installedMysql(root: string): MysqlPrograms | undefined {
  const mysqld = unpackedProgram(root, 'usr/sbin/mysqld', MYSQL_REMEDY)
  if (mysqld === undefined) return undefined
  const { file, args } = mysqld
  const initializedData = join(root, 'initialized-data')
  return {
    mysqld: { file, args: [...args, '--no-defaults', `--basedir=${join(root, 'usr')}`] },
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
