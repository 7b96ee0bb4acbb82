/** Speaks with Lambda where the launcher has no shell that could. */

import { type Clock, type Env, ExtensionsApi } from './core.ts'
import type { Sidecar } from './sidecar.ts'

/** The name of the launcher's file. */
const NAME = 'leasehold'
const REGISTER_ATTEMPTS = 3
const FIRST_PAUSE_MS = 100
const MOST_PAUSE_MS = 10_000

/** @param sidecar undefined where none was asked for: then it only waits, as an extension must */
export async function liveAlone(env: Env, clock: Clock, sidecar: Sidecar | undefined): Promise<void> {
  const api = new ExtensionsApi(env['AWS_LAMBDA_RUNTIME_API'] ?? '', NAME)
  const id = await registered(api, clock, sidecar === undefined ? [] : ['SHUTDOWN'])
  await sidecar?.start()
  // Nothing else keeps the process alive where it only waits.
  setInterval(() => undefined, 2 ** 30)
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, MOST_PAUSE_MS)) {
    try {
      const { eventType } = await api.next(id)
      if (eventType === 'SHUTDOWN') break
    } catch {
      // Whoever ends takes the function with it: so it asks again, and never gives up.
    }
    await clock.sleep(pauseMs)
  }
  await sidecar?.end()
  process.exit(0)
}

async function registered(api: ExtensionsApi, clock: Clock, events: readonly string[]): Promise<string> {
  const keptAlive = setInterval(() => undefined, 2 ** 30)
  for (let attempt = 1; ; attempt += 1) {
    try {
      const id = await api.register(events)
      clearInterval(keptAlive)
      return id
    } catch (error) {
      if (attempt === REGISTER_ATTEMPTS) {
        console.error('leasehold: the sidecar could not register as an extension')
        process.exit(1)
      }
      void error
    }
    await clock.sleep(FIRST_PAUSE_MS)
  }
}
