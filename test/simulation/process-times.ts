// CPU time of this process and all that it started, and of everything else on the machine. Linux only.
import { readdirSync, readFileSync } from 'node:fs'
import { cpus } from 'node:os'

/** Linux tells CPU time in hundredths of a second. Source: proc(5), `sysconf(_SC_CLK_TCK)`. */
const TICK_MS = 10

export interface CpuTimes {
  /** This process, its descendants, and those of them that have ended and were waited for. */
  readonly ownMs: number
  /** All processes, idle time not included. */
  readonly allMs: number
  readonly wallMs: number
}

export function cpuTimes(): CpuTimes {
  return { ownMs: ownMs(), allMs: allMs(), wallMs: performance.now() }
}

/** CPU time that the machine's other processes took of each millisecond, in cores. */
export function othersCores(before: CpuTimes, after: CpuTimes): number {
  const others = after.allMs - before.allMs - (after.ownMs - before.ownMs)
  return Math.min(Math.max(0, others / (after.wallMs - before.wallMs)), cpus().length - 0.1)
}

function allMs(): number {
  const [, user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = readFileSync(
    '/proc/stat',
    'utf8',
  )
    .split('\n', 1)[0]!
    .split(/\s+/)
    .map(Number)
  return (user + nice + system + irq + softirq + steal) * TICK_MS
}

interface Process {
  readonly parent: number
  readonly ms: number
}

function ownMs(): number {
  const processes = new Map<number, Process>()
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    if (Number.isInteger(pid)) {
      const found = processOf(pid)
      if (found !== undefined) processes.set(pid, found)
    }
  }
  let sumMs = 0
  for (const [pid, { ms }] of processes) {
    if (isOwn(pid, processes)) sumMs += ms
  }
  return sumMs
}

function processOf(pid: number): Process | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name may have spaces and brackets in it.
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number)
    const ticks = (fields[11] ?? 0) + (fields[12] ?? 0) + (fields[13] ?? 0) + (fields[14] ?? 0)
    return { parent: fields[1] ?? 0, ms: ticks * TICK_MS }
  } catch {
    return undefined
  }
}

function isOwn(pid: number, processes: ReadonlyMap<number, Process>): boolean {
  for (let at: number | undefined = pid; at !== undefined && at > 1; at = processes.get(at)?.parent) {
    if (at === process.pid) return true
  }
  return false
}
