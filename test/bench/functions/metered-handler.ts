// A function of one statement an invocation, whose metrics go where it is told, after each response with a census.
import type { MetricsSink } from '@leasehold/core'
import { cloudWatch, emf } from '@leasehold/core/aws'
import { lambdaExtension } from '@leasehold/core/lambda'

import { openPool, type Target } from '../targets.ts'

const { BENCH_TARGET = '{}', BENCH_METRICS, BENCH_ENDPOINT } = process.env
const common = { namespace: 'Bench', everyMs: 2_000 }

const SINKS: Readonly<Record<string, () => MetricsSink>> = {
  emf: () => emf(common),
  cloudWatch: () =>
    cloudWatch({
      ...common,
      endpoint: BENCH_ENDPOINT,
      region: 'eu-west-1',
      credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'of no use to anybody' },
    }),
}

await lambdaExtension()
const metrics = SINKS[BENCH_METRICS ?? '']?.()
const pool = openPool(JSON.parse(BENCH_TARGET) as Target, 'governed', metrics && { metrics })

export async function handler(): Promise<void> {
  await pool.query()
}
