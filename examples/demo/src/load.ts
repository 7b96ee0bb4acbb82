// Closed-loop load: so many clients, each with one request in flight, one after the other.
import { setTimeout as sleep } from 'node:timers/promises'

import type { Invocation, LambdaFunction } from '@leasehold/lambda-emulator'

import type { Recorder } from './recording.ts'
import { PAUSE_AFTER_FAILURE_MS, type PhaseName } from './scenario.ts'

export interface Load {
  readonly phase: PhaseName
  readonly clientCount: number
  readonly durationMs: number
}

/** Resolves when every client has its last answer; the last requests are sent just before the time is up. */
export async function runLoad(
  target: LambdaFunction,
  { phase, clientCount, durationMs }: Load,
  recorder: Recorder,
  signal: AbortSignal,
): Promise<void> {
  const untilMs = recorder.elapsedMs() + durationMs
  const client = async (id: number): Promise<void> => {
    while (recorder.elapsedMs() < untilMs) {
      const startMs = recorder.elapsedMs()
      const invocation = await target.invoke({ id }, { settle: true, signal })
      const failure = failureOf(invocation)
      recorder.addInvocation({
        phase,
        environmentId: invocation.environmentId,
        startMs,
        latencyMs: invocation.queuedMs + invocation.latencyMs,
        ...(failure === undefined ? {} : { failure }),
      })
      if (failure !== undefined) await sleep(PAUSE_AFTER_FAILURE_MS, undefined, { signal })
    }
  }
  await Promise.all(Array.from({ length: clientCount }, (_, id) => client(id)))
}

/** The failure's text without what is different every time, so that equal failures can be counted. */
function failureOf({ error }: Invocation): string | undefined {
  if (error === undefined) return undefined
  const text = error.errorMessage.replace(/^RequestId: \S+ /, '').replaceAll(/\d+/g, 'N')
  return error.errorType === 'error' || text.startsWith('Error: ') ? text : `${error.errorType}: ${text}`
}
