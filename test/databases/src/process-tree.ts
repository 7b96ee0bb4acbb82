// A server is more than one process (PostgreSQL forks one for each session): what /proc says about all of
// them, and how to end them at one stroke. Where there is no /proc, only the server's first process is seen.
import { readdirSync, readFileSync } from 'node:fs'

interface ProcessEntry {
  readonly pid: number
  readonly parent: number
  readonly state: string
  /** Its own CPU time and that of its children that have ended. */
  readonly cpuMs: number
}

/** Linux shows CPU times in units of 1/100 s on every architecture (USER_HZ). */
const MS_PER_TICK = 10

/** The process and all its descendants, those that have ended but were not waited for included. */
function processTree(root: number): readonly ProcessEntry[] {
  const all = processIds().map(processEntry)
  const tree = all.filter((entry) => entry?.pid === root)
  for (const parent of tree) tree.push(...all.filter((entry) => entry?.parent === parent?.pid))
  return tree.filter((entry) => entry !== undefined)
}

/** CPU time used so far by a process and all its descendants. 0 once it has ended. */
export function treeCpuMs(root: number): number {
  return processTree(root).reduce((sum, entry) => sum + entry.cpuMs, 0)
}

/**
 * SIGKILL for a process and its descendants. It is stopped first: a process that is just being killed would
 * otherwise fork children that nobody has seen. Returns the ids, for {@link isAlive}.
 */
export function killTree(root: number): readonly number[] {
  signal(root, 'SIGSTOP')
  const pids = [...new Set([root, ...processTree(root).map((entry) => entry.pid)])]
  for (const pid of pids) signal(pid, 'SIGKILL')
  return pids
}

/** False once the process has ended, whether or not its parent has noticed. */
export function isAlive(pid: number): boolean {
  if (processIds().length === 0) return signal(pid, 0)
  const state = processEntry(pid)?.state
  return state !== undefined && state !== 'Z' && state !== 'X'
}

function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false
    throw error
  }
}

function processIds(): readonly number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger)
  } catch {
    return []
  }
}

function processEntry(pid: number): ProcessEntry | undefined {
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch {
    return undefined
  }
  // The second field is the name in parentheses and may itself hold spaces and parentheses. See proc(5).
  const [state = '', parent, ...rest] = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const ticks = rest.slice(9, 13).reduce((sum, field) => sum + Number(field), 0)
  return { pid, parent: Number(parent), state, cpuMs: ticks * MS_PER_TICK }
}
