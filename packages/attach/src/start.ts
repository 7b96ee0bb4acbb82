/** Begins attachment, once a process and never at the function's cost. */

import { isMainThread } from 'node:worker_threads'

import { type Env, systemEnv } from '@leasehold/core'
import { lambdaExtension } from '@leasehold/core/lambda'

import { attachToDrivers, guardSockets } from './attachment.ts'
import { type AttachmentCounts, Report } from './report.ts'
import type { SocketGuard } from './sockets.ts'
import { readSettings, type Settings } from './variables/settings.ts'

const KEY = Symbol.for('leasehold.attach.1')
/** The process that attachment began in: one that the function starts inherits the variable, and has another id. */
const MARK = 'LEASEHOLD_ATTACHED_PID'

/** What attachment has done in this process. */
export interface Attachment extends AttachmentCounts {
  readonly level: Settings['level']
  /** Database sockets that nothing governs. */
  readonly sockets: { readonly open: number; readonly dropped: number }
}

interface Begun {
  readonly done: Promise<void>
  readonly look: () => Attachment
}

/** Never rejects. Called again, by whichever copy, it does nothing. */
export async function start(): Promise<void> {
  const holder = globalThis as { [KEY]?: Begun }
  holder[KEY] ??= begin(systemEnv)
  await holder[KEY].done
}

/** What attachment has done so far; undefined where it was not begun. */
export function attachment(): Attachment | undefined {
  return (globalThis as { [KEY]?: Begun })[KEY]?.look()
}

function begin(env: Record<string, string | undefined>): Begun {
  const isInherited = env[MARK] !== undefined && env[MARK] !== String(process.pid)
  const report = new Report(env, isInherited)
  const settings = readSettings(env)
  let guard: SocketGuard | undefined
  let done: Promise<void> = Promise.resolve()
  try {
    if (settings.problem !== undefined) report.off(settings.problem)
    if (settings.level !== 'off') guard = guardSockets(settings)
    if (settings.level === 'drivers') attachToDrivers(settings, report)
    if (settings.level !== 'off' && isRuntime(env)) done = register(settings, guard)
  } catch (error) {
    report.off(error)
  }
  const look = (): Attachment => ({
    level: settings.level,
    ...report.counts,
    sockets: guard?.counts ?? { open: 0, dropped: 0 },
  })
  return { done, look }
}

async function register(settings: Settings, guard: SocketGuard | undefined): Promise<void> {
  const { afterResponse, afterResponseMs } = settings
  const invocations = { begun: () => guard?.begun(), over: () => guard?.over() }
  await lambdaExtension({ afterResponse, afterResponseMs, invocations, preloaded: true })
}

/** Whether this process is Lambda's runtime: no extension beside it, no worker, nothing that the function starts. */
function isRuntime(env: Env & Record<string, string | undefined>): boolean {
  if (env['_HANDLER'] === undefined || !isMainThread) return false
  env[MARK] ??= String(process.pid)
  return env[MARK] === String(process.pid)
}
