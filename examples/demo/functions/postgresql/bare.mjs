// A function as most tutorials write it: one pool outside the handler, one connection in it.
import { Pool } from 'pg'

const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 1 })
pool.on('error', (error) => console.warn(error.message))

export const handler = async (event) => {
  await pool.query('select pg_sleep(0.02)')
  const { rows } = await pool.query('select $1::int + 1 as next', [event.id])
  return rows[0]
}
