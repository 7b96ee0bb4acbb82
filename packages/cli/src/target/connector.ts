/** Makes the governed pool that a command asks its questions through. */

import { connectMysql } from './mysql.ts'
import { connectPostgres } from './postgres.ts'
import type { Connector, Governance, Row } from './session.ts'
import type { PoolOptions, Protocol } from './target.ts'

/** Opens nothing until a session is wanted. @throws LeaseholdError `INVALID_OPTIONS` */
export function connector(protocol: Protocol, options: PoolOptions, governance: Governance): Connector {
  return protocol === 'postgresql' ? connectPostgres(options, governance) : connectMysql(options, governance)
}

/** Takes a session for one statement. */
export async function runOn(pool: Connector, statement: string): Promise<readonly Row[]> {
  const session = await pool.connect()
  try {
    return await session.run(statement)
  } finally {
    session.release()
  }
}
