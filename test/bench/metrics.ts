// What metrics cost a warm request: until the response, and until the environment is free. By turns, in one run.
import { deployFunction, type LambdaFunction } from '@leasehold/lambda-emulator'

import { FakeCloudWatch } from '../aws/cloudwatch.ts'
import { invokeByTurns, type WarmTimes } from './by-turns.ts'
import { median, percentile, short } from './statistics.ts'
import { ENGINES, type Target, targetOf } from './targets.ts'

const WARM_UP = 100
const REQUESTS = 1_500
const SINKS = ['off', 'emf', 'cloudWatch'] as const

interface MetricsFigures extends WarmTimes {
  readonly engine: string
  readonly sink: string
}

export async function measureMetrics(): Promise<readonly MetricsFigures[]> {
  const figures: MetricsFigures[] = []
  const service = await FakeCloudWatch.start()
  for (const { name: engine, start } of ENGINES) {
    const server = await start()
    const functions = SINKS.map((sink) => deploy(targetOf(server), sink, service.endpoint))
    const times = await invokeByTurns(functions, WARM_UP, REQUESTS)
    figures.push(...times.map((taken, index) => ({ ...taken, engine, sink: SINKS[index] ?? '' })))
    for (const lambda of functions) await lambda.dispose()
    await server.dispose()
  }
  await service.stop()
  return figures
}

function deploy(target: Target, sink: string, endpoint: string): LambdaFunction {
  return deployFunction({
    name: `bench-${sink}`,
    taskRoot: import.meta.dirname,
    handler: 'functions/metered.handler',
    environment: {
      BENCH_TARGET: JSON.stringify(target),
      BENCH_METRICS: sink,
      BENCH_ENDPOINT: endpoint,
    },
    nodeArgs: ['--conditions=@leasehold/source'],
  })
}

export function metricsCostTable(figures: readonly MetricsFigures[]): string {
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length
  const rows = figures.map(
    ({ engine, sink, latenciesMs, freeMs }) =>
      `| ${engine} | ${sink} | ${short(median(latenciesMs))} | ${short(mean(latenciesMs))} | ` +
      `${short(percentile(latenciesMs, 0.99))} | ${short(median(freeMs))} | ${short(mean(freeMs))} | ` +
      `${short(percentile(freeMs, 0.99))} |`,
  )
  return [
    '| driver | metrics | response p50 ms | mean | p99 | free again p50 ms | mean | p99 |',
    '|---|---|---|---|---|---|---|---|',
    ...rows,
  ].join('\n')
}
