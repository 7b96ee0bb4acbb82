// As the README has it; no option changed.
import { createPool } from '@leasehold/pg-adapter'

import { database, withCodes } from '../database.mjs'

const pool = createPool(database)

export const handler = withCodes(async (seconds) => {
  await pool.query('select pg_sleep($1)', [seconds])
})
