// A function that makes one statement an invocation, on the pool it is told to use.
import { openPool, type Target, type Variant } from '../targets.ts'

const target = JSON.parse(process.env['BENCH_TARGET'] ?? '{}') as Target
const pool = openPool(target, process.env['BENCH_VARIANT'] as Variant)

export async function handler(): Promise<void> {
  await pool.query()
}
