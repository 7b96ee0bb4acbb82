// Prints what attachment adds to a cold start: Init, and the first invocation, by turns with the same function bare.
import { startPostgres } from '@leasehold/test-databases'

import { ensureBuilt } from '../packed/workspace.ts'
import { writeFunctions } from './functions.ts'
import { type Cell, deploy, startPlace } from './scene.ts'

const ROUNDS = 30

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

const WAYS = {
  bare: { attached: false },
  'level 0': { attached: true, variables: { LEASEHOLD_ATTACH: 'sockets' } },
  'level 1': { attached: true },
} as const

await ensureBuilt()
await using functions = await writeFunctions()
await using place = await startPlace(() => startPostgres({ maxConnections: 60 }))

for (const bundling of ['unbundled', 'esbuild minified'] as const) {
  const cell: Cell = { kind: 'pg Pool', bundling, format: 'ESM', node: 'Node 24' }
  const times = new Map(
    Object.keys(WAYS).map((way) => [way, { init: [] as number[], first: [] as number[] }]),
  )
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [way, how] of Object.entries(WAYS)) {
      await using lambda = deploy(functions, place, cell, how)
      const { queuedMs, latencyMs } = await lambda.invoke({}, { settle: true })
      times.get(way)?.init.push(queuedMs)
      times.get(way)?.first.push(latencyMs)
    }
  }
  const [base] = [...times.values()].map(({ init, first }) => median(init) + median(first))
  for (const [way, { init, first }] of times) {
    const [initMs, firstMs] = [median(init), median(first)]
    const ratio = (initMs + firstMs) / (base ?? Number.NaN)
    const figures = [initMs, firstMs, initMs + firstMs].map((value) => value.toFixed(1).padStart(7)).join('')
    // oxlint-disable-next-line no-console -- its output is the result
    console.log(`${bundling.padEnd(17)} ${way.padEnd(8)} ${figures} ms  x${ratio.toFixed(2)}`)
  }
}
