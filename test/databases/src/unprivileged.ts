// PostgreSQL refuses to run as root. Where tests run as root (containers do), it runs as `nobody`, who must
// be able to reach its binaries and its folder; no account is created for it.
import { readFileSync, statSync } from 'node:fs'
import { chown, cp, mkdtemp, realpath } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

export interface Account {
  readonly uid: number
  readonly gid: number
}

/** Whom a server that refuses to be root should run as; `undefined` if this process is not root. */
export function unprivilegedAccount(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined
  const [, , uid, gid] = /^nobody:.*$/m.exec(readFileSync('/etc/passwd', 'utf8'))?.[0].split(':') ?? []
  if (uid === undefined || gid === undefined)
    throw new Error('running as root, and there is no user `nobody`')
  return { uid: Number(uid), gid: Number(gid) }
}

/** A new empty folder for a server's data, owned by the account and reachable for it. */
export async function createServerFolder(prefix: string, account?: Account): Promise<string> {
  const parents = [tmpdir(), '/tmp', '/var/tmp']
  const parent = account ? parents.find(isReachableForAll) : parents[0]
  if (parent === undefined)
    throw new Error(`no temporary folder that every user may enter: ${parents.join(', ')}`)
  const folder = await mkdtemp(join(await realpath(parent), `leasehold-${prefix}-`))
  if (account) await chown(folder, account.uid, account.gid)
  return folder
}

/** The same folder, or a copy of it where the account can reach it (a clone below `/root`, for instance). */
export async function reachableCopy(source: string, copy: string, account?: Account): Promise<string> {
  if (!account || isReachableForAll(source)) return source
  await cp(source, copy, { recursive: true, verbatimSymlinks: true })
  return copy
}

function isReachableForAll(path: string): boolean {
  try {
    const entered = (statSync(path).mode & 0o001) !== 0
    return entered && (dirname(path) === path || isReachableForAll(dirname(path)))
  } catch {
    return false
  }
}
