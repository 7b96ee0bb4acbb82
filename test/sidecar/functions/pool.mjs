// A governed pool whose metrics go through the sidecar.

import { sidecarMetrics } from '@leasehold/core/aws'
import { lambdaExtension } from '@leasehold/core/lambda'
import { createPool } from '@leasehold/pg-adapter'

const { target, endpoint } = JSON.parse(process.env.POOL)
if (process.env.EXTENSION === 'on') await lambdaExtension()
const pool = createPool({
  ...target,
  metrics: sidecarMetrics({ namespace: 'Shop', endpoint, everyMs: 1_000 }),
})

export const handler = async ({ afterMs = 0 }) => {
  await pool.query('select 1')
  await new Promise((resolve) => setTimeout(resolve, afterMs))
  return 'done'
}
