// With the one more line by which Leasehold learns when the invocation must be over.
import { createPool } from '@leasehold/mysql-adapter'

import { database, withCodes } from '../database.mjs'

const pool = createPool(database)

export const handler = withCodes(async (seconds, context) => {
  pool.leasehold.enter(context)
  await pool.promise().query('select sleep(?)', [seconds])
})
