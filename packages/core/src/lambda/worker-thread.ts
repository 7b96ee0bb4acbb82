/** A worker thread of Managed Instances: leaves when the main thread says so, and knows when each invocation ends. */

import { threadId } from 'node:worker_threads'

import type { Clock } from '../clock.ts'
import { processWide } from '../process-wide.ts'
import { sayFarewell } from './farewell.ts'
import type { RuntimeClient } from './runtime-client.ts'
import { openChannel } from './threads.ts'

/** From now on this thread's sessions are closed when the main thread gets SIGTERM. Once a thread. */
export function leaveWithMainThread(clock: Clock): void {
  const shared = processWide()
  if (shared.leavesWithMainThread === true) return
  shared.leavesWithMainThread = true
  const send = openChannel((told) => {
    if (!('leave' in told)) return
    void sayFarewell(clock, told.leave.sparesUsed).then(() => send({ left: threadId }))
  })
  send({ joined: threadId })
}

/** Keeps what the runtime client is told of the invocations that run in this thread. */
export function followInvocations(clock: Clock, runtime: RuntimeClient): void {
  const ends = new Map<string, number>()
  processWide().running = ends
  runtime.listen(
    {
      begun: (requestId, deadlineEpochMs) => {
        // Answers that are streamed pass by: what is out of time goes, the oldest first.
        for (const [earlier, endEpochMs] of ends) {
          if (endEpochMs > clock.epochMs()) break
          ends.delete(earlier)
        }
        if (Number.isFinite(deadlineEpochMs)) ends.set(requestId, deadlineEpochMs)
      },
      over: () => {},
      answered: (requestId) => ends.delete(requestId),
    },
    Promise.resolve(),
  )
}
