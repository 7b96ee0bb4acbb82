// What metrics cost a warm request: until the response, and until the environment is free. By turns, in one run.
import { deployFunction, type LambdaFunction } from '@leasehold/lambda-emulator'

import { FakeCloudWatch } from '../aws/cloudwatch.ts'
import { median, percentile, short } from './statistics.ts'
import { ENGINES, type Target, targetOf } from './targets.ts'

const WARM_UP = 100
const REQUESTS = 1_500
const SINKS = ['off', 'emf', 'cloudWatch'] as const

interface MetricsFigures {
  readonly engine: string
  readonly sink: string
  readonly latenciesMs: readonly number[]
  readonly freeMs: readonly number[]
}

export async function measureMetrics(): Promise<readonly MetricsFigures[]> {
  const figures: MetricsFigures[] = []
  const service = await FakeCloudWatch.start()
  for (const { name: engine, start } of ENGINES) {
    const server = await start()
    const functions = SINKS.map((sink) => ({
      lambda: deploy(targetOf(server), sink, service.endpoint),
      figures: { engine, sink, latenciesMs: [] as number[], freeMs: [] as number[] },
    }))
    for (let request = -WARM_UP; request < REQUESTS; request += 1) {
      for (const { lambda, figures: its } of functions) {
        const startMs = performance.now()
        const { latencyMs, error } = await lambda.invoke({}, { settle: true })
        const freeMs = performance.now() - startMs
        if (error !== undefined) throw new Error(`${its.sink}: ${error.errorMessage}`)
        if (request < 0) continue
        its.latenciesMs.push(latencyMs)
        its.freeMs.push(freeMs)
      }
    }
    figures.push(...functions.map(({ figures: its }) => its))
    for (const { lambda } of functions) await lambda.dispose()
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
