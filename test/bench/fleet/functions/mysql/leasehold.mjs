// As the README has it; no option changed.
import { createPool } from '@leasehold/mysql-adapter'

import { database, withCodes } from '../database.mjs'

const pool = createPool(database).promise()

export const handler = withCodes(async (seconds) => {
  await pool.query('select sleep(?)', [seconds])
})
