// Counts the sessions on the server, over its control connection, for as long as a run lasts.
import { setTimeout as sleep } from 'node:timers/promises'

import type { DatabaseServer } from '@leasehold/test-databases'

import type { Recorder } from './recording.ts'
import { SAMPLE_EVERY_MS } from './scenario.ts'

const FAILURES_IN_A_ROW = 10

/** Runs until `signal` aborts. Rejects if the server does not answer any more. */
export async function sampleSessions(
  server: DatabaseServer,
  recorder: Recorder,
  signal: AbortSignal,
): Promise<void> {
  let failures = 0
  while (!signal.aborted) {
    const startedMs = recorder.elapsedMs()
    try {
      const sessions = await server.sessions(server.login.user)
      recorder.addSample(sessions.length)
      failures = 0
    } catch (error) {
      failures += 1
      if (failures >= FAILURES_IN_A_ROW) {
        throw new Error(`${server.name} does not show its sessions: ${String(error)}`, { cause: error })
      }
    }
    const restMs = Math.max(0, SAMPLE_EVERY_MS - (recorder.elapsedMs() - startedMs))
    await sleep(restMs, undefined, { signal }).catch(() => undefined)
  }
}
