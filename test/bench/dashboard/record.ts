// Plays the story with real environments, and keeps what they send to CloudWatch.
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { FakeCloudWatch, type MetricDatum } from '../../aws/cloudwatch.ts'
import { FakeSecretsManager } from '../../aws/secrets-manager.ts'
import { Environments } from '../fleet/environments.ts'
import { machine } from '../fleet/machine.ts'
import { play } from '../fleet/play.ts'
import { Recorder } from '../fleet/recorder.ts'
import { lengthMsOf } from '../fleet/scenarios.ts'
import { startWorld, type World } from '../fleet/world.ts'
import type { Point, StoredMetrics, StoredSeries } from './data.ts'
import { FLEET_OF, ROTATION_GAP_MS, SECRETS, STORY } from './story.ts'

const SECRET = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop-AbCdEf'
const TASK_ROOT = fileURLToPath(new URL('functions/', import.meta.url))
/** The pools' default. */
const TARGET_PRESSURE = 0.8

/** @param nodeArgs for the Node.js of every environment */
export async function record(
  nodeArgs: readonly string[],
  say: (line: string) => void,
): Promise<StoredMetrics> {
  const world = await startWorld('postgresql', STORY.slots)
  const service = await FakeCloudWatch.start()
  const secrets = await FakeSecretsManager.start()
  try {
    secrets.put(SECRET, secretOf(world, world.server.login.password))
    const environment = {
      DB_HOST: world.server.host,
      DB_PORT: `${world.server.port}`,
      DB_NAME: world.server.database,
      DB_SECRET: SECRET,
      SECRETS_ENDPOINT: secrets.endpoint,
      METRICS_ENDPOINT: service.endpoint,
    }
    const fleets = new Map(
      STORY.fleets.map((plan) => {
        const fleet = FLEET_OF[plan.name] ?? plan.name
        const deployment = { taskRoot: TASK_ROOT, handler: 'measured.handler', nodeArgs }
        return [
          plan.name,
          new Environments(plan, { ...deployment, environment: { ...environment, DB_FLEET: fleet } }),
        ]
      }),
    )
    const all = [...fleets.values()]
    try {
      await Promise.all(all.map((fleet) => fleet.start()))
      const startedEpochMs = Date.now()
      const recorder = new Recorder()
      await Promise.all([play(STORY, fleets, recorder), trouble(world, secrets)])
      const failed = recorder.all.filter(({ failure }) => failure !== undefined)
      say(`${recorder.all.length} requests, ${failed.length} failed; ${service.requests.length} sendings`)
      for (const { failure } of failed.slice(0, 3)) say(`  ${failure}`)
      return stored(service, startedEpochMs)
    } finally {
      await Promise.all(all.map((fleet) => fleet.dispose()))
    }
  } finally {
    await secrets.stop()
    await service.stop()
    await world.dispose()
  }
}

/** Secrets Manager's part of the story, and the database administrator's. */
async function trouble(world: World, secrets: FakeSecretsManager): Promise<void> {
  const { throttledFromMs, throttledUntilMs, rotatedAtMs } = SECRETS
  await sleep(throttledFromMs)
  secrets.always({ kind: 'throttled' })
  await sleep(throttledUntilMs - throttledFromMs)
  secrets.always(undefined)
  await sleep(rotatedAtMs - throttledUntilMs)
  // As Secrets Manager goes about it.
  secrets.createPending(SECRET, secretOf(world, 'of tomorrow'))
  await world.server.admin(`alter role ${world.server.login.user} password 'of tomorrow'`)
  await sleep(ROTATION_GAP_MS)
  secrets.finishRotation(SECRET)
}

function secretOf({ server }: World, password: string): object {
  return { username: server.login.user, password }
}

function stored(service: FakeCloudWatch, startedEpochMs: number): StoredMetrics {
  const { cores, cpuModel, node } = machine()
  const series = seriesOf(service.data, startedEpochMs)
  const { Engine = '', Target = '' } = series.find(({ metric }) => metric === 'Pressure')?.dimensions ?? {}
  return {
    startedAt: new Date(startedEpochMs).toISOString(),
    about: `PostgreSQL, ${STORY.slots} slots, ${cores} cores (${cpuModel}), Node ${node}`,
    durationMs: lengthMsOf(STORY),
    namespace: service.requests[0]?.namespace ?? '',
    dimensions: { Fleet: 'shop', Engine, Target },
    targetPressure: TARGET_PRESSURE,
    series,
  }
}

function seriesOf(data: readonly MetricDatum[], startedEpochMs: number): readonly StoredSeries[] {
  const found = new Map<string, StoredSeries & { readonly points: Point[] }>()
  for (const { MetricName, Unit, Dimensions, Timestamp, Values, Counts } of data) {
    const dimensions = Object.fromEntries(Dimensions.map(({ Name, Value }) => [Name, Value]))
    const key = `${MetricName} ${JSON.stringify(dimensions)}`
    const series = found.get(key) ?? { metric: MetricName, unit: Unit, dimensions, points: [] }
    found.set(key, series)
    series.points.push([Math.round(Timestamp * 1_000 - startedEpochMs), Values, Counts])
  }
  for (const { points } of found.values()) points.sort(([left], [right]) => left - right)
  return [...found.values()].toSorted((left, right) => (left.metric < right.metric ? -1 : 1))
}
