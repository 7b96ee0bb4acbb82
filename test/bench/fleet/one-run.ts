// One subject in one scenario, once: environments up, load, figures; nothing is left when it is over.
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { type Deployment, Environments } from './environments.ts'
import { figuresOf } from './figures.ts'
import { folderOf, type Subject } from './measured.ts'
import { measureWhile } from './measuring.ts'
import { play } from './play.ts'
import type { FleetRun } from './result.ts'
import { lengthMsOf, type Scenario } from './scenarios.ts'
import type { World } from './world.ts'

export interface RunOptions {
  readonly round: number
  /** Arguments for the Node.js of every environment. */
  readonly nodeArgs: readonly string[]
}

const GONE_WITHIN_MS = 20_000

export async function runOnce(
  world: World,
  scenario: Scenario,
  subject: Subject,
  { round, nodeArgs }: RunOptions,
): Promise<FleetRun> {
  const { engine } = world.server
  const pooler = subject.isPooled ? await world.startPooler() : undefined
  const deployment = {
    ...deploymentOf(world, subject, pooler?.port ?? world.server.port, nodeArgs),
    limitMs: scenario.limitMs,
  }
  const fleets = new Map(scenario.fleets.map((plan) => [plan.name, new Environments(plan, deployment)]))
  const all = [...fleets.values()]
  try {
    await Promise.all(all.map((fleet) => fleet.start()))
    const [recorder, readings] = await measureWhile(world, pooler, (to) => play(scenario, fleets, to))
    const figures = figuresOf(recorder, scenario)
    const { answered } = figures.requests
    return {
      scenario: scenario.name,
      engine,
      subject: subject.name,
      round,
      runtime: all[0]?.runtime ?? 'stand-in',
      durationMs: lengthMsOf(scenario),
      ...figures,
      ...readings,
      connectsPerAnswer: answered === 0 ? 0 : readings.connects / answered,
    }
  } finally {
    await Promise.all(all.map((fleet) => fleet.dispose()))
    await pooler?.dispose()
    await everybodyGone(world)
  }
}

function deploymentOf(
  { server, maxConnections }: World,
  { file }: Subject,
  port: number,
  nodeArgs: readonly string[],
): Deployment {
  return {
    taskRoot: fileURLToPath(new URL(`functions/${folderOf(server.engine)}/`, import.meta.url)),
    handler: `${file}.handler`,
    environment: {
      DB_HOST: server.host,
      DB_PORT: `${port}`,
      DB_USER: server.login.user,
      DB_PASSWORD: server.login.password,
      DB_NAME: server.database,
      DB_MAX_CONNECTIONS: `${maxConnections}`,
    },
    nodeArgs,
  }
}

/** The next run must not begin on a server that still ends the sessions of this one. */
async function everybodyGone({ counters }: World): Promise<void> {
  const untilMs = performance.now() + GONE_WITHIN_MS
  while ((await counters.sessions()) > 0) {
    if (performance.now() > untilMs) throw new Error(`sessions are left ${GONE_WITHIN_MS} ms after a run`)
    await sleep(50)
  }
}
