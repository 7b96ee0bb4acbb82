// A function of Managed Instances whose threads have pools of the environment's places.

import { sidecarPlaces } from '@leasehold/core/lambda'
import { createPool } from '@leasehold/pg-adapter'

const places = sidecarPlaces({ connections: 8 })
const pool = createPool(JSON.parse(process.env.TARGET))

export const handler = async ({ ms = 20, ask }) => {
  if (ask === 'places') return places
  const { rows } = await pool.query('select pg_sleep($1), pg_backend_pid() as session', [ms / 1_000])
  return { session: rows[0].session, max: pool.options.max }
}
