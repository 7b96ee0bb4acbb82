// MariaDB's plugin for PAM, which is in another package than the server: unpacked, not installed, because that
// package would also start a server of its own.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { findProgram } from './programs.ts'

const PLUGIN = 'auth_pam.so'
/** The plugin asks PAM through this program, which it looks for in the folder of plugins. */
const TOOL_FOLDER = 'auth_pam_tool_dir'
const PLUGIN_FOLDERS = ['/usr/lib/mysql/plugin', '/usr/lib64/mysql/plugin', '/usr/lib64/mariadb/plugin']
const DOWNLOAD_WITHIN_MS = 300_000

export const AUTH_PAM_REMEDY: string =
  `install MariaDB's plugin ${PLUGIN} (Debian, Ubuntu: apt-get install mariadb-server), ` +
  'or let it be fetched by apt-get and dpkg (Debian, Ubuntu; with network)'

export function canFindAuthPam(): boolean {
  return (
    installedFolder() !== undefined ||
    ['apt-get', 'dpkg', 'dpkg-query'].every((program) => findProgram(program) !== undefined)
  )
}

/** Copies the plugin and its program to a new folder, which becomes a server's folder of plugins. */
export async function copyAuthPam(folder: string): Promise<void> {
  const source = installedFolder() ?? (await fetchedFolder())
  await mkdir(folder)
  for (const entry of [PLUGIN, TOOL_FOLDER]) {
    await cp(join(source, entry), join(folder, entry), { recursive: true })
  }
}

function installedFolder(): string | undefined {
  return PLUGIN_FOLDERS.find(
    (folder) => existsSync(join(folder, PLUGIN)) && existsSync(join(folder, TOOL_FOLDER, 'auth_pam_tool')),
  )
}

/** From the package of the very version that the server is of, kept for the next time. */
async function fetchedFolder(): Promise<string> {
  try {
    const query = ['-W', '-f', '${Version}', 'mariadb-server-core']
    const { stdout: version } = await promisify(execFile)('dpkg-query', query)
    const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'leasehold')
    const folder = join(cache, `mariadb-plugins-${version.replaceAll(/[^\w.+~-]/g, '_')}`)
    if (!existsSync(folder)) await fetchPlugins(version, cache, folder)
    return folder
  } catch (error) {
    throw new Error(`MariaDB's plugin for PAM can't be had: ${String(error)}\n${AUTH_PAM_REMEDY}`, {
      cause: error,
    })
  }
}

async function fetchPlugins(version: string, cache: string, folder: string): Promise<void> {
  await mkdir(cache, { recursive: true })
  const temporary = await mkdtemp(join(cache, 'mariadb-'))
  const run = (file: string, ...args: readonly string[]): Promise<unknown> =>
    promisify(execFile)(file, args, { cwd: temporary, timeout: DOWNLOAD_WITHIN_MS, maxBuffer: 64 << 20 })
  try {
    const download = ['-o', 'APT::Sandbox::User=root', 'download', `mariadb-server=${version}`]
    await run('apt-get', ...download).catch(async () => {
      await run('apt-get', 'update')
      await run('apt-get', ...download)
    })
    const archive = (await readdir(temporary)).find((name) => name.endsWith('.deb')) ?? ''
    await run('dpkg', '-x', archive, 'unpacked')
    const unpacked = join(temporary, 'unpacked/usr/lib/mysql/plugin')
    // In one step; who comes second finds it done.
    await rename(unpacked, folder).catch((error: unknown) => {
      if (!existsSync(folder)) throw error
    })
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
}
