// Warm checkout and checkin: nanoseconds and heap bytes an operation, bare and governed by turns.
// Run with --expose-gc and a large young generation, so that no collection falls into a measurement.
import { median, short } from './statistics.ts'
import { ENGINES, type MeasuredPool, openPool, targetOf, type Variant, VARIANTS } from './targets.ts'

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
    }
    const ns: Record<Variant, number[]> = { bare: [], governed: [] }
    const bytes: Record<Variant, number[]> = { bare: [], governed: [] }
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
      nsPerOperation: { bare: median(ns.bare), governed: median(ns.governed) },
      bytesPerOperation: { bare: median(bytes.bare), governed: median(bytes.governed) },
    })
    await Promise.all([pools.bare.end(), pools.governed.end()])
    await server.dispose()
  }
  return figures
}

export function checkoutTable(figures: readonly CheckoutFigures[]): string {
  const rows = figures.map(({ engine, nsPerOperation: ns, bytesPerOperation: bytes }) =>
    [engine, short(ns.bare), short(ns.governed), Math.round(bytes.bare), Math.round(bytes.governed)].join(
      ' | ',
    ),
  )
  return [
    '| driver | ns, bare | ns, governed | bytes, bare | bytes, governed |',
    '|---|---|---|---|---|',
    ...rows.map((row) => `| ${row} |`),
  ].join('\n')
}
