// Query builders and ORMs on a governed pg.Pool, and on the governed driver.
import pg from 'pg'
import { describe } from 'vitest'

import { postgresUnderTest } from '../postgresql/server.ts'
import { ON_PG } from './on-pg.ts'
import { libraries } from './suite.ts'

describe('on PostgreSQL', () => {
  const under = postgresUnderTest(30)
  libraries(under, ON_PG, async (sql) => {
    const client = new pg.Client({ ...under.target })
    await client.connect()
    await client.query(sql)
    await client.end()
  })
})
