// What an extension costs a warm request: until the response, and until the environment is free. By turns, in one run.
import { deployFunction, type LambdaFunction } from '@leasehold/lambda-emulator'

import { invokeByTurns, type WarmTimes } from './by-turns.ts'
import { median, percentile, short } from './statistics.ts'
import { ENGINES, type Target, targetOf, type Variant } from './targets.ts'

const WARM_UP = 100
const REQUESTS = 2_000

interface Extended {
  readonly name: string
  readonly variant: Variant
  readonly extension?: object
}

const EXTENDED: readonly Extended[] = [
  { name: 'bare pool', variant: 'bare' },
  { name: 'governed, no extension', variant: 'governed' },
  { name: 'governed, registered without events', variant: 'governed', extension: {} },
  { name: 'governed, `afterResponse`', variant: 'governed', extension: { afterResponse: true } },
]

interface ExtensionFigures extends WarmTimes {
  readonly engine: string
  readonly name: string
}

export async function measureExtension(): Promise<readonly ExtensionFigures[]> {
  const figures: ExtensionFigures[] = []
  for (const { name: engine, start } of ENGINES) {
    const server = await start()
    const functions = EXTENDED.map((extended) => deploy(targetOf(server), extended))
    const times = await invokeByTurns(functions, WARM_UP, REQUESTS)
    figures.push(...times.map((taken, index) => ({ ...taken, engine, name: EXTENDED[index]?.name ?? '' })))
    for (const lambda of functions) await lambda.dispose()
    await server.dispose()
  }
  return figures
}

function deploy(target: Target, { variant, extension }: Extended): LambdaFunction {
  return deployFunction({
    name: 'bench-extended',
    taskRoot: import.meta.dirname,
    handler: 'functions/extended.handler',
    environment: {
      BENCH_TARGET: JSON.stringify(target),
      BENCH_VARIANT: variant,
      ...(extension === undefined ? {} : { BENCH_EXTENSION: JSON.stringify(extension) }),
    },
    nodeArgs: ['--conditions=@leasehold/source'],
  })
}

export function extensionTable(figures: readonly ExtensionFigures[]): string {
  const rows = figures.map(
    ({ engine, name, latenciesMs, freeMs }) =>
      `| ${engine} | ${name} | ${short(median(latenciesMs))} | ${short(percentile(latenciesMs, 0.99))} | ` +
      `${short(median(freeMs))} | ${short(percentile(freeMs, 0.99))} |`,
  )
  return [
    '| driver |  | response p50 ms | p99 ms | free again p50 ms | p99 ms |',
    '|---|---|---|---|---|---|',
    ...rows,
  ].join('\n')
}
