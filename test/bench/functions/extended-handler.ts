// A function of one statement an invocation, on the pool it is told to use, with the extension it is told to register.
import { lambdaExtension } from '@leasehold/core/lambda'

import { openPool, type Target, type Variant } from '../targets.ts'

const { BENCH_TARGET = '{}', BENCH_VARIANT, BENCH_EXTENSION } = process.env
if (BENCH_EXTENSION !== undefined) await lambdaExtension(JSON.parse(BENCH_EXTENSION) as object)
const pool = openPool(JSON.parse(BENCH_TARGET) as Target, BENCH_VARIANT as Variant)

export async function handler(): Promise<void> {
  await pool.query()
}
