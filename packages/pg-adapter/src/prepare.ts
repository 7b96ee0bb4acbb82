/** A new session is the application's only after its `onSession` has made it what the others were. */

import type { Governor } from '@leasehold/core'

import type { DriverClient } from './driver.ts'
import { queueOf } from './statement.ts'

/**
 * Connects, and awaits the application's `onSession` on the new session. What the application has asked of
 * the client meanwhile is sent after it.
 *
 * @param connect makes one attempt
 */
export async function prepareSession(
  client: DriverClient,
  governor: Governor,
  connect: () => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  if (governor.options.onSession === undefined) {
    await connect()
    return
  }
  const queue = queueOf(client)
  const early = queue.splice(0)
  // The driver sends what waits as soon as it is connected.
  const setAside = (): void => void early.push(...queue.splice(0))
  client.connection.prependOnceListener('readyForQuery', setAside)
  try {
    await connect()
    await untilAborted(governor.prepareSession(client, signal), signal, (reason) => {
      // So that a statement of the hook's ends, and the hook with it.
      client._errorAllQueries(reason)
    })
  } finally {
    queue.unshift(...early)
  }
  client._pulseQueryQueue()
}

function untilAborted(
  work: Promise<void>,
  signal: AbortSignal,
  end: (reason: unknown) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      end(signal.reason)
      reject(signal.reason)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
