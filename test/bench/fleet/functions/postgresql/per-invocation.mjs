// A connection for each invocation.
import pg from 'pg'

import { database, withCodes } from '../database.mjs'

export const handler = withCodes(async (seconds) => {
  const client = new pg.Client(database)
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query('select pg_sleep($1)', [seconds])
  } finally {
    await client.end()
  }
})
