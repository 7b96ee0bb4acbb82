// A fleet in a closed loop: real environments, each frozen between two requests, more of them than slots.
import type { Stats } from '@leasehold/core'
import { deployFunction, type LambdaFunction } from '@leasehold/lambda-emulator'
import type { DatabaseServer } from '@leasehold/test-databases'

import type { Asked } from './functions/work-handler.ts'

export interface FleetRun {
  readonly answered: number
  /** Messages of the requests that failed. */
  readonly failures: readonly string[]
  /** Answers while the load lasted. */
  readonly ratePerS: number
  /** Until the last answer. */
  readonly seconds: number
  readonly latenciesMs: readonly number[]
  /** Mean latency of each environment. */
  readonly environmentMeansMs: readonly number[]
}

const ON_SOURCES = ['--conditions=@leasehold/source']

export function deployFleet(
  name: string,
  server: DatabaseServer,
  options: object = {},
  nodeArgs: readonly string[] = ON_SOURCES,
): LambdaFunction {
  const { engine, host, port, database, login } = server
  return deployFunction({
    name,
    taskRoot: import.meta.dirname,
    handler: 'functions/work.handler',
    environment: { FLEET_TARGET: JSON.stringify({ engine, host, port, database, ...login, ...options }) },
    nodeArgs,
    timeoutMs: 15_000,
  })
}

/**
 * `count` callers, each sending its next request when the last was answered, for `durationMs`.
 *
 * @param ask what the request of this number asks for
 */
export async function runFleet(
  lambda: LambdaFunction,
  count: number,
  durationMs: number,
  ask: (request: number) => Asked = () => ({}),
): Promise<FleetRun> {
  await lambda.scaleTo(count)
  const latenciesMs: number[] = []
  const failures: string[] = []
  let inTimeCount = 0
  const byEnvironment = new Map<string, number[]>()
  const startMs = performance.now()
  const call = async (): Promise<void> => {
    while (performance.now() - startMs < durationMs) {
      const { environmentId, latencyMs, error } = await lambda.invoke(ask(latenciesMs.length), {
        settle: true,
      })
      if (error !== undefined) failures.push(error.errorMessage)
      else if (performance.now() - startMs <= durationMs) inTimeCount += 1
      latenciesMs.push(latencyMs)
      byEnvironment.set(environmentId, [...(byEnvironment.get(environmentId) ?? []), latencyMs])
    }
  }
  await Promise.all(Array.from({ length: count }, call))
  const seconds = (performance.now() - startMs) / 1_000
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length
  return {
    answered: latenciesMs.length - failures.length,
    failures,
    ratePerS: (1_000 * inTimeCount) / durationMs,
    seconds,
    latenciesMs,
    environmentMeansMs: [...byEnvironment.values()].map(mean),
  }
}

/** What all pools of the fleet have counted. Each environment is asked once: all are idle, and each takes one question at a time. */
export async function countsOf(lambda: LambdaFunction, count: number): Promise<Readonly<Stats>> {
  const answers = await Promise.all(
    Array.from({ length: count }, () => lambda.invoke({ ask: 'stats' }, { settle: true })),
  )
  const sums: Record<string, number> = {}
  for (const { payload } of answers) {
    for (const [name, value] of Object.entries(payload as Stats)) sums[name] = (sums[name] ?? 0) + value
  }
  return sums as unknown as Stats
}
