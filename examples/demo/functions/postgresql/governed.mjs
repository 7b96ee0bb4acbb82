// The same function on a governed pool: another import, and a limit for the wait below the function's timeout.
import { createPool } from '@leasehold/pg-adapter'

const pool = createPool({ connectionString: process.env.DATABASE_URL, max: 1, acquireTimeoutMs: 4000 })
pool.on('error', (error) => console.warn(error.message))

export const handler = async (event) => {
  await pool.query('select pg_sleep(0.02)')
  const { rows } = await pool.query('select $1::int + 1 as next', [event.id])
  return rows[0]
}
