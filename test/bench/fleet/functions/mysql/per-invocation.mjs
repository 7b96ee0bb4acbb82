// A connection for each invocation.
import mysql2 from 'mysql2/promise'

import { database, withCodes } from '../database.mjs'

export const handler = withCodes(async (seconds) => {
  const connection = await mysql2.createConnection(database)
  try {
    await connection.query('select sleep(?)', [seconds])
  } finally {
    await connection.end()
  }
})
