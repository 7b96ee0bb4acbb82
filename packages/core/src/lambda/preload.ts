/**
 * For `NODE_OPTIONS=--require @leasehold/core/lambda/preload`, or `--import`: on Managed Instances, where Lambda's
 * SIGTERM reaches the main thread alone, it closes the sessions of all worker threads. Does nothing elsewhere.
 */

import { isMainThread } from 'node:worker_threads'

import { systemClock } from '../clock.ts'
import { runsSeveralInvocations, systemEnv } from '../env.ts'
import { consoleLogger } from '../log.ts'
import { MainThread } from './main-thread.ts'
import { awaitRegistration } from './threads.ts'
import { leaveWithMainThread } from './worker-thread.ts'

const REGISTER_LIMIT_MS = 3_000

/** Resolves when it is settled whether Lambda will send SIGTERM; at once where this does nothing. Never rejects. */
export const ready: Promise<void> = begin()

function begin(): Promise<void> {
  if (!runsSeveralInvocations(systemEnv)) return Promise.resolve()
  if (isMainThread) return new MainThread(systemClock, systemEnv, consoleLogger).begin()
  leaveWithMainThread(systemClock)
  awaitRegistration(REGISTER_LIMIT_MS)
  return Promise.resolve()
}
