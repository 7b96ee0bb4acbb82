// One run: one engine, one variant, all phases, each with a deadline.
import { setTimeout as sleep } from 'node:timers/promises'

import type { DatabaseServer } from '@leasehold/test-databases'

import { deployFleet, type Fleet, startEnvironments, takeAway } from './fleet.ts'
import { runLoad } from './load.ts'
import type { Recorder } from './recording.ts'
import { sampleSessions } from './sampler.ts'
import {
  BURST_CLIENTS,
  PHASE_GRACE_MS,
  phaseDurationMs,
  type PhaseName,
  phaseTitle,
  SECOND_CLIENTS,
  TAKEN_AWAY_COUNT,
} from './scenario.ts'
import { endMs } from './statistics.ts'

const START_WITHIN_MS = 60_000
const GONE_WITHIN_MS = 15_000

/** Plays the scenario into `recorder`. Whatever happens, no process of the run is left. */
export async function run(
  server: DatabaseServer,
  recorder: Recorder,
  nodeArgs: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const fleet = deployFleet(server, recorder.variant, nodeArgs)
  const over = new AbortController()
  try {
    await within('the start of the environments', START_WITHIN_MS, signal, () =>
      startEnvironments(fleet.first, BURST_CLIENTS),
    )
    // At 0, before the clock starts: charts begin at their beginning.
    recorder.addSample((await server.sessions(server.login.user)).length)
    const whole = AbortSignal.any([signal, over.signal])
    // Whichever fails first ends the other.
    const story = play(fleet, recorder, whole).finally(() => over.abort())
    const sampling = sampleSessions(server, recorder, whole).finally(() => over.abort())
    const [played, sampled] = await Promise.allSettled([story, sampling])
    if (sampled.status === 'rejected') throw sampled.reason
    if (played.status === 'rejected') throw played.reason
  } catch (error) {
    over.abort()
    // The first error is the one to tell.
    await fleet.dispose().catch(() => undefined)
    throw error
  }
  await fleet.dispose()
  await allGone(server, signal)
}

async function play(fleet: Fleet, recorder: Recorder, signal: AbortSignal): Promise<void> {
  const phase = async (
    name: PhaseName,
    action: (durationMs: number, signal: AbortSignal) => Promise<void>,
  ): Promise<void> => {
    const durationMs = phaseDurationMs(name)
    recorder.beginPhase(name)
    await within(`phase "${phaseTitle(name)}"`, durationMs + PHASE_GRACE_MS, signal, (until) =>
      action(durationMs, until),
    )
  }
  await phase('burst', (durationMs, until) =>
    runLoad(fleet.first, { phase: 'burst', clientCount: BURST_CLIENTS, durationMs }, recorder, until),
  )
  // The second function's processes start while nothing is measured but sessions: they hold none yet.
  await phase('quiet', async (durationMs, until) => {
    const [started] = await Promise.allSettled([
      startEnvironments(fleet.second, SECOND_CLIENTS),
      sleep(durationMs, undefined, { signal: until }),
    ])
    if (started.status === 'rejected') throw started.reason
  })
  await phase('taken-away', async (durationMs, until) => {
    const lastUsed = recorder.invocations
      .filter(({ failure }) => failure === undefined)
      .toSorted((a, b) => endMs(a) - endMs(b))
      .map(({ environmentId }) => environmentId)
    takeAway(fleet.first, TAKEN_AWAY_COUNT, lastUsed)
    await sleep(durationMs, undefined, { signal: until })
  })
  await phase('second-function', (durationMs, until) =>
    runLoad(
      fleet.second,
      { phase: 'second-function', clientCount: SECOND_CLIENTS, durationMs },
      recorder,
      until,
    ),
  )
  recorder.endPhase()
}

/** The next run must not begin on a server that still ends the sessions of this one. */
async function allGone(server: DatabaseServer, signal: AbortSignal): Promise<void> {
  await within('the end of all sessions', GONE_WITHIN_MS, signal, async (until) => {
    while (!until.aborted && (await server.sessions(server.login.user)).length > 0) {
      await sleep(50, undefined, { signal: until })
    }
  })
}

/** Rejects with a sentence when the time is up, and at once when `signal` aborts. */
async function within(
  what: string,
  limitMs: number,
  signal: AbortSignal,
  action: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const late = new AbortController()
  const both = AbortSignal.any([signal, late.signal])
  const timer = setTimeout(() => late.abort(new Error(`${what} is not over after ${limitMs} ms`)), limitMs)
  try {
    both.throwIfAborted()
    const aborted = new Promise<never>((_, reject) => {
      both.addEventListener('abort', () => reject(both.reason), { once: true })
    })
    await Promise.race([action(both), aborted])
  } catch (error) {
    // A sleep that was cut says only that it was.
    throw both.aborted ? both.reason : error
  } finally {
    clearTimeout(timer)
  }
}
