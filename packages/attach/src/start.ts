/** Begins attachment, once a process and never at the function's cost. */

import { isMainThread } from 'node:worker_threads'

import { type Env, systemEnv } from '@leasehold/core'
import { lambdaExtension } from '@leasehold/core/lambda'

const KEY = Symbol.for('leasehold.attach.1')
/** The process that attachment began in: one that the function starts inherits the variable, and has another id. */
const MARK = 'LEASEHOLD_ATTACHED_PID'

/** Never rejects. Called again, by whichever copy, it does nothing. */
export async function start(): Promise<void> {
  const holder = globalThis as { [KEY]?: Promise<unknown> }
  holder[KEY] ??= begin(systemEnv as Record<string, string | undefined>)
  await holder[KEY]
}

async function begin(env: Record<string, string | undefined>): Promise<void> {
  if (isRuntime(env)) await lambdaExtension({ preloaded: true })
}

/** Whether this process is Lambda's runtime: no extension beside it, no worker, nothing that the function starts. */
function isRuntime(env: Env & Record<string, string | undefined>): boolean {
  if (env['_HANDLER'] === undefined || !isMainThread) return false
  env[MARK] ??= String(process.pid)
  return env[MARK] === String(process.pid)
}
