// pg.Pool with one connection. Behind PgBouncer as well as without.
import pg from 'pg'

import { database, withCodes } from '../database.mjs'

const pool = new pg.Pool({ ...database, max: 1 })
// Without a listener a connection that the server ends while it is idle would end the process.
pool.on('error', () => {})

export const handler = withCodes(async (seconds) => {
  await pool.query('select pg_sleep($1)', [seconds])
})
