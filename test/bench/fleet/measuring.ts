// What is read off the servers and the machine while a run lasts, and before and after it.
import { cpus } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

import { type CpuTimes, cpuTimes } from '../../simulation/process-times.ts'
import { Recorder } from './recorder.ts'
import type { FleetRun } from './result.ts'
import type { World } from './world.ts'

export type Readings = Pick<
  FleetRun,
  | 'sessions'
  | 'connects'
  | 'refused'
  | 'serverCpuMs'
  | 'poolerCpuMs'
  | 'harnessCpuMs'
  | 'machineBusy'
  | 'othersBusy'
>

const SAMPLE_EVERY_MS = 200

export interface CpuMeter {
  cpuMs(): Promise<number>
}

/** The recorder's time begins when all is read that must be read before. */
export async function measureWhile(
  world: World,
  pooler: CpuMeter | undefined,
  work: (recorder: Recorder) => Promise<void>,
): Promise<readonly [Recorder, Readings]> {
  const before = await readings(world, pooler)
  const recorder = new Recorder()
  const over = new AbortController()
  const sampling = sampleSessions(world, recorder, over.signal)
  try {
    await work(recorder)
  } finally {
    over.abort()
  }
  const samples = await sampling
  const after = await readings(world, pooler)
  return [
    recorder,
    {
      sessions: {
        limit: world.maxConnections,
        slots: world.server.slots,
        peak: samples.reduce((most, { total }) => Math.max(most, total), 0),
        samples,
      },
      connects: after.connects - before.connects,
      refused: after.refused - before.refused,
      serverCpuMs: after.serverCpuMs - before.serverCpuMs,
      ...(pooler === undefined ? {} : { poolerCpuMs: after.poolerCpuMs - before.poolerCpuMs }),
      harnessCpuMs: after.harnessCpuMs - before.harnessCpuMs,
      ...shares(before.times, after.times),
    },
  ]
}

async function readings({ server, counters }: World, pooler: CpuMeter | undefined) {
  const counts = await counters.counts()
  const { user, system } = process.cpuUsage()
  return {
    ...counts,
    serverCpuMs: await server.cpuMs(),
    poolerCpuMs: (await pooler?.cpuMs()) ?? 0,
    harnessCpuMs: Math.round((user + system) / 1_000),
    times: cpuTimes(),
  }
}

function shares(before: CpuTimes, after: CpuTimes): Pick<Readings, 'machineBusy' | 'othersBusy'> {
  const availableMs = (after.wallMs - before.wallMs) * cpus().length
  const allMs = after.allMs - before.allMs
  const ownMs = after.ownMs - before.ownMs
  return { machineBusy: allMs / availableMs, othersBusy: Math.max(0, allMs - ownMs) / availableMs }
}

async function sampleSessions(
  { counters }: World,
  recorder: Recorder,
  signal: AbortSignal,
): Promise<FleetRun['sessions']['samples']> {
  const samples: { atMs: number; total: number }[] = []
  while (!signal.aborted) {
    const atMs = Math.round(recorder.elapsedMs)
    samples.push({ atMs, total: await counters.sessions() })
    const restMs = SAMPLE_EVERY_MS - (recorder.elapsedMs - atMs)
    await sleep(Math.max(0, restMs), undefined, { signal }).catch(() => undefined)
  }
  return samples
}
