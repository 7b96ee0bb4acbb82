// One statement a request, and metrics in the function's own log.
import { emf } from '@leasehold/core/aws'
import { createPool } from '@leasehold/pg-adapter'

const pool = createPool({
  ...(JSON.parse(process.env['FLEET_TARGET'] ?? '{}') as object),
  // They are sent along with a census.
  censusEveryMs: 200,
  metrics: emf({ namespace: 'Shop', everyMs: 1_000 }),
})

export const handler = async (): Promise<string> => {
  await pool.query('select 1')
  // Of a level that no filter of the test's takes out.
  console.error('a line of the function')
  return 'answered'
}
