// As its README has it: query, end. No option changed.
import serverlessMysql from 'serverless-mysql'

import { database, withCodes } from '../database.mjs'

const mysql = serverlessMysql({ config: database })

export const handler = withCodes(async (seconds) => {
  await mysql.query('select sleep(?)', [seconds])
  await mysql.end()
})
