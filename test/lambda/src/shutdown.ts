// Lambda's Shutdown phase: who is told, in which order, and how long each has.

import { setTimeout as sleep } from 'node:timers/promises'

import type { Reclaimed } from './api.ts'
import type { ExtensionRegistry } from './extensions-api.ts'
import type { ProcessGroup } from './process-group.ts'

/** The processes of an environment, and what they registered. */
export interface Crew {
  readonly runtime: ProcessGroup | undefined
  /** External extensions by file name. */
  readonly externals: ReadonlyMap<string, ProcessGroup>
  readonly registry: ExtensionRegistry
}

export type ShutdownReason = 'spindown' | 'timeout' | 'failure'

/**
 * Milliseconds for everybody, and the runtime's share of them, by what is registered. From the developer
 * guide, "Understanding the execution environment lifecycle" and "Extensions API".
 */
const budgets = {
  nobody: { totalMs: 0, runtimeMs: 0 },
  internalOnly: { totalMs: 500, runtimeMs: 500 },
  external: { totalMs: 2_000, runtimeMs: 300 },
} as const

/**
 * Processes that outlast their time get `lastSignal`: SIGSTOP where the whole environment goes away with
 * them and no FIN may leave it, SIGKILL where the environment outlives them.
 */
export async function shutDown(
  { runtime, externals, registry }: Crew,
  reason: ShutdownReason,
  lastSignal: 'SIGSTOP' | 'SIGKILL',
): Promise<Reclaimed> {
  const startedAt = performance.now()
  const everybody = [...(runtime === undefined ? [] : [runtime]), ...externals.values()]
  const budget = budgets[whoIsRegistered(registry)]
  if (budget.totalMs > 0) {
    for (const process of everybody) process.signal('SIGCONT')
    runtime?.signal('SIGTERM')
    if (runtime !== undefined) await exitedWithin([runtime], budget.runtimeMs)
  }
  runtime?.signal(lastSignal)
  const leftMs = budget.totalMs - (performance.now() - startedAt)
  const told: ProcessGroup[] = []
  for (const [name, process] of externals) {
    const extension = registry.byName(name)
    if (extension?.events.has('SHUTDOWN') !== true) process.signal(leftMs > 0 ? 'SIGKILL' : lastSignal)
    else {
      const deadlineMs = Math.round(Date.now() + leftMs)
      extension.deliver({ eventType: 'SHUTDOWN', shutdownReason: reason, deadlineMs })
      told.push(process)
    }
  }
  await exitedWithin([...externals.values()], leftMs)
  for (const process of told) process.signal(lastSignal)
  const killed = everybody.some((process) => !process.hasExited)
  return { exitedAfterMs: budget.totalMs === 0 ? 0 : performance.now() - startedAt, killed }
}

function whoIsRegistered({ registered }: ExtensionRegistry): keyof typeof budgets {
  if (registered.length === 0) return 'nobody'
  return registered.some((extension) => extension.isExternal) ? 'external' : 'internalOnly'
}

/** Waits for processes to exit, so long and no longer. */
export async function exitedWithin(processes: readonly ProcessGroup[], limitMs: number): Promise<void> {
  const enough = new AbortController()
  const exits = Promise.all(processes.map((process) => process.exited)).then(() => enough.abort())
  const limit = sleep(Math.max(0, limitMs), undefined, { signal: enough.signal }).catch(() => undefined)
  await Promise.race([exits, limit])
}
