// Sends the requests of a scenario: in a closed loop, or when they are due.
import { setTimeout as sleep } from 'node:timers/promises'

import type { Invocation } from '@leasehold/lambda-emulator'

import type { Environments } from './environments.ts'
import type { Recorder } from './recorder.ts'
import type { ClosedLoad, OpenLoad } from './scenarios.ts'

/** A load, its place in the scenario, and the environments it goes to with the number of their first. */
export interface Sending<L> {
  readonly load: L
  readonly index: number
  readonly environments: Environments
  readonly firstEnvironment: number
}

/** Between two looks at what is due. */
const TICK_MS = 2

/** Resolves when every caller has its last answer. */
export async function runClosed(sending: Sending<ClosedLoad>, recorder: Recorder): Promise<void> {
  const { load, environments } = sending
  const { thinkMs = 0, isOnce = false, fromMs, untilMs } = load
  await sleep(Math.max(0, fromMs - recorder.elapsedMs))
  const caller = async (environment: number): Promise<void> => {
    do {
      await request(sending, environment, recorder, recorder.elapsedMs)
      if (thinkMs > 0) await sleep(thinkMs)
    } while (!isOnce && recorder.elapsedMs < untilMs)
  }
  await Promise.all(Array.from({ length: environments.count }, (_, environment) => caller(environment)))
}

/** Resolves when all that was sent is answered. `random` decides when requests come, and who gets them. */
export async function runOpen(
  sending: Sending<OpenLoad>,
  recorder: Recorder,
  random: () => number,
): Promise<void> {
  const { load, index, environments } = sending
  const underWay = new Set<Promise<void>>()
  const gapMs = (): number => (-Math.log(1 - random()) * 1_000) / load.perS
  let dueMs = load.fromMs + gapMs()
  await sleep(Math.max(0, load.fromMs - recorder.elapsedMs))
  while (dueMs < load.untilMs) {
    for (; dueMs < load.untilMs && dueMs <= recorder.elapsedMs; dueMs += gapMs()) {
      const environment = environments.take(load.dispatch, random)
      if (environment === undefined) {
        recorder.addThrottled(index)
        continue
      }
      const done = request(sending, environment, recorder, dueMs).then(() => {
        environments.giveBack(environment)
        underWay.delete(done)
      })
      underWay.add(done)
    }
    await sleep(TICK_MS)
  }
  await Promise.all(underWay)
}

async function request(
  { load, index, environments, firstEnvironment }: Sending<ClosedLoad | OpenLoad>,
  environment: number,
  recorder: Recorder,
  dueMs: number,
): Promise<void> {
  const lateMs = recorder.elapsedMs - dueMs
  const invocation = await environments.invoke(environment, { workMs: load.workMs })
  recorder.add({
    load: index,
    environment: firstEnvironment + environment,
    sentMs: dueMs,
    // From when it was due, however busy the machine; with its Init, where an environment had to be started again.
    latencyMs: lateMs + invocation.queuedMs + invocation.latencyMs,
    failure: failureOf(invocation),
  })
}

/** The code; without one the text, and N for numbers so that equal failures can be counted. */
function failureOf({ error }: Invocation): string | undefined {
  if (error === undefined) return undefined
  const { errorType, errorMessage } = error
  if (!['Error', 'error'].includes(errorType)) return errorType
  return errorMessage.replace(/^RequestId: \S+ /, '').replaceAll(/\d+/g, 'N')
}
