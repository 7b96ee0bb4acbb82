// A warm request of one statement in a real, frozen-and-thawed environment, bare and governed by turns.
import { fork } from 'node:child_process'
import { once } from 'node:events'

import { deployFunction } from '@leasehold/lambda-emulator'

import { median, percentile, short } from './statistics.ts'
import { ENGINES, type Target, targetOf, type Variant, VARIANTS } from './targets.ts'

const WARM_UP = 50
const REQUESTS = 1_000
/** Half a millisecond each way. The relay's timers add to it, to both variants alike. */
const ONE_WAY_MS = 0.5

export interface RequestFigures {
  readonly engine: string
  readonly p50Ms: Record<Variant, number>
  readonly p99Ms: Record<Variant, number>
}

export async function measureRequests(): Promise<readonly RequestFigures[]> {
  const figures: RequestFigures[] = []
  for (const { name, start } of ENGINES) {
    const server = await start()
    // In a process of its own, so that its timers do not wait for the emulator's work.
    const relay = fork(new URL('relay-process.ts', import.meta.url), [
      server.host,
      `${server.port}`,
      `${ONE_WAY_MS}`,
    ])
    const [port] = (await once(relay, 'message')) as [number]
    const functions = VARIANTS.map((variant) => ({
      variant,
      lambda: deploy(targetOf(server, port), variant),
    }))
    const latencies: Record<Variant, number[]> = { bare: [], governed: [] }
    for (let request = -WARM_UP; request < REQUESTS; request += 1) {
      for (const { variant, lambda } of functions) {
        const { latencyMs, error } = await lambda.invoke({}, { settle: true })
        if (error !== undefined) throw new Error(`${variant}: ${error.errorMessage}`)
        if (request >= 0) latencies[variant].push(latencyMs)
      }
    }
    figures.push({
      engine: name,
      p50Ms: { bare: median(latencies.bare), governed: median(latencies.governed) },
      p99Ms: { bare: percentile(latencies.bare, 0.99), governed: percentile(latencies.governed, 0.99) },
    })
    for (const { lambda } of functions) await lambda.dispose()
    relay.kill()
    await server.dispose()
  }
  return figures
}

function deploy(target: Target, variant: Variant): ReturnType<typeof deployFunction> {
  return deployFunction({
    name: `bench-${variant}`,
    taskRoot: import.meta.dirname,
    handler: 'functions/request.handler',
    environment: { BENCH_TARGET: JSON.stringify(target), BENCH_VARIANT: variant },
    nodeArgs: ['--conditions=@leasehold/source'],
  })
}

export function requestTable(figures: readonly RequestFigures[]): string {
  const rows = figures.map(
    ({ engine, p50Ms, p99Ms }) =>
      `| ${engine} | ${short(p50Ms.bare)} | ${short(p50Ms.governed)} | ${(p50Ms.governed / p50Ms.bare).toFixed(3)} | ` +
      `${short(p99Ms.bare)} | ${short(p99Ms.governed)} |`,
  )
  return [
    '| driver | p50 ms, bare | p50 ms, governed | ratio of p50 | p99 ms, bare | p99 ms, governed |',
    '|---|---|---|---|---|---|',
    ...rows,
  ].join('\n')
}
