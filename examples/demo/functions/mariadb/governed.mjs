// The same function on a governed pool: another import, and a limit for the wait below the function's timeout.
import { createPool } from '@leasehold/mysql-adapter'

const pool = createPool({ uri: process.env.DATABASE_URL, connectionLimit: 1, acquireTimeoutMs: 4000 })
const database = pool.promise()

export const handler = async (event) => {
  await database.query('do sleep(0.02)')
  const [rows] = await database.query('select ? + 1 as next', [event.id])
  return rows[0]
}
