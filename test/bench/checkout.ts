// Warm checkout and checkin: nanoseconds and heap bytes an operation, bare and governed by turns.
// Run with --expose-gc and a large young generation, so that no collection falls into a measurement.
import { emf } from '@leasehold/core/aws'

import { median, short } from './statistics.ts'
import { ENGINES, type MeasuredPool, openPool, targetOf } from './targets.ts'

/** `measured`: governed, with a sink for metrics. */
const VARIANTS = ['bare', 'governed', 'measured'] as const
type Variant = (typeof VARIANTS)[number]

const WARM_UP = 50_000
const OPERATIONS = 50_000
const ROUNDS = 15

export interface CheckoutFigures {
  readonly engine: string
  readonly nsPerOperation: Record<Variant, number>
  readonly bytesPerOperation: Record<Variant, number>
}

function cycles(pool: MeasuredPool, count: number): Promise<void> {
  return new Promise((resolve) => {
    let left = count
    const next = (): void => {
      left -= 1
      if (left === 0) resolve()
      else pool.cycle(next)
    }
    pool.cycle(next)
  })
}

export async function measureCheckout(): Promise<readonly CheckoutFigures[]> {
  const { gc } = globalThis
  if (gc === undefined) throw new Error('run with --expose-gc')
  const figures: CheckoutFigures[] = []
  for (const { name, start } of ENGINES) {
    const server = await start()
    const pools = {
      bare: openPool(targetOf(server), 'bare'),
      governed: openPool(targetOf(server), 'governed'),
      measured: openPool(targetOf(server), 'governed', {
        metrics: emf({ namespace: 'Bench', write: nowhere }),
      }),
    }
    const ns: Record<Variant, number[]> = { bare: [], governed: [], measured: [] }
    const bytes: Record<Variant, number[]> = { bare: [], governed: [], measured: [] }
    for (const variant of VARIANTS) {
      await pools[variant].query()
      await cycles(pools[variant], WARM_UP)
    }
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const variant of VARIANTS) {
        gc()
        const heapBefore = process.memoryUsage().heapUsed
        const startNs = process.hrtime.bigint()
        await cycles(pools[variant], OPERATIONS)
        ns[variant].push(Number(process.hrtime.bigint() - startNs) / OPERATIONS)
        bytes[variant].push((process.memoryUsage().heapUsed - heapBefore) / OPERATIONS)
      }
    }
    figures.push({
      engine: name,
      nsPerOperation: medians(ns),
      bytesPerOperation: medians(bytes),
    })
    await Promise.all(VARIANTS.map((variant) => pools[variant].end()))
    await server.dispose()
  }
  return figures
}

function medians(of: Record<Variant, number[]>): Record<Variant, number> {
  const { bare, governed, measured } = of
  return { bare: median(bare), governed: median(governed), measured: median(measured) }
}

function nowhere(): void {}

export function checkoutTable(figures: readonly CheckoutFigures[]): string {
  const rows = figures.map(({ engine, nsPerOperation: ns, bytesPerOperation: bytes }) =>
    [
      engine,
      ...VARIANTS.map((variant) => short(ns[variant])),
      ...VARIANTS.map((variant) => Math.round(bytes[variant])),
    ].join(' | '),
  )
  return [
    '| driver | ns, bare | ns, governed | ns, with metrics | bytes, bare | bytes, governed | bytes, with metrics |',
    '|---|---|---|---|---|---|---|',
    ...rows.map((row) => `| ${row} |`),
  ].join('\n')
}
