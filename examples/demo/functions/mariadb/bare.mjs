// A function as most tutorials write it: one pool outside the handler, one connection in it.
import { createPool } from 'mysql2'

const pool = createPool({ uri: process.env.DATABASE_URL, connectionLimit: 1 })
const database = pool.promise()

export const handler = async (event) => {
  await database.query('do sleep(0.02)')
  const [rows] = await database.query('select ? + 1 as next', [event.id])
  return rows[0]
}
