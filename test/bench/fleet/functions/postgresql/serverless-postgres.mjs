// As its README has it: connect, query, clean. `maxConnections` is set because it "highly suggests" so.
import ServerlessClient from 'serverless-postgres'

import { database, withCodes } from '../database.mjs'

const client = new ServerlessClient({ ...database, maxConnections: Number(process.env.DB_MAX_CONNECTIONS) })

export const handler = withCodes(async (seconds) => {
  await client.connect()
  await client.query('select pg_sleep($1)', [seconds])
  await client.clean()
})
