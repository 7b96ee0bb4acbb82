// A layer at /opt, for the processes of one environment alone: each starts in a mount namespace of its own.

import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** Nobody but root may mount, save in a user namespace of his own. */
const unshare = [
  'unshare',
  ...(process.getuid?.() === 0 ? [] : ['--map-root-user']),
  '--mount',
  '--propagation',
  'private',
]
const mountAndRun = 'mount --bind "$0" /opt && exec "$@"'

/** A command line that runs `argv`, under the same process id, with `folder` in the place of `/opt`. */
export function withOpt(folder: string | undefined, argv: readonly string[]): readonly string[] {
  return folder === undefined ? argv : [...unshare, 'sh', '-c', mountAndRun, folder, ...argv]
}

/** Why this machine can't put a folder at `/opt`; `undefined` where it can. Changes nothing. */
export function optProblem(): string | undefined {
  const [command = '', ...args] = withOpt('/', ['true'])
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' })
  return status === 0 ? undefined : (error?.message ?? stderr.trim())
}

/** The layer's external extensions, as its environment sees them: every executable file of `/opt/extensions`. */
export function extensionsIn(folder: string | undefined): readonly string[] {
  const extensions = join(folder ?? '', 'extensions')
  if (folder === undefined || !existsSync(extensions)) return []
  return readdirSync(extensions, { withFileTypes: true })
    .filter((entry) => entry.isFile() && isExecutable(join(extensions, entry.name)))
    .map((entry) => `/opt/extensions/${entry.name}`)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
