// The pool of mysql2 with one connection.
import mysql2 from 'mysql2/promise'

import { database, withCodes } from '../database.mjs'

const pool = mysql2.createPool({ ...database, connectionLimit: 1 })

export const handler = withCodes(async (seconds) => {
  await pool.query('select sleep(?)', [seconds])
})
