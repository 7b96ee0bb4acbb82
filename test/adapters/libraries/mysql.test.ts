// Query builders and ORMs on a governed mysql2 pool, and on the governed driver.
import mysql2 from 'mysql2/promise'

import { onEveryServer } from '../mysql/server.ts'
import { ON_MYSQL } from './on-mysql.ts'
import { libraries } from './suite.ts'

await onEveryServer((under) => {
  libraries(under, ON_MYSQL, async (sql) => {
    const connection = await mysql2.createConnection({ ...under.target })
    await connection.query(sql)
    await connection.end()
  })
})
