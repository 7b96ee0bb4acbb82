/** Asks for the sessions, and finds out at the first time what the login may see of them. */

import type { Engine } from '@leasehold/core'

import type { Row } from '../target/session.ts'
import { type MysqlSight, readSessions, type ServerSession, sessionsStatement } from './statement.ts'

/** ER_SPECIFIC_ACCESS_DENIED_ERROR */
const NEEDS_PROCESS = 1227

/** Resolves to the sessions that the login may see. Rejects with the driver's errors. */
export type LookAtSessions = (
  engine: Engine,
  run: (statement: string) => Promise<readonly Row[]>,
) => Promise<ServerSession[]>

export function sessionsLook(): LookAtSessions {
  let sight: MysqlSight = { transactions: true, watched: true }
  const look: LookAtSessions = async (engine, run) => {
    try {
      const sessions = readSessions(await run(sessionsStatement(engine, sight)))
      // Not even the session that asks is there: the table is empty while `performance_schema` is off.
      if (sessions.length > 0 || !sight.watched) return sessions
      sight = { ...sight, watched: false }
    } catch (error) {
      if (!sight.transactions || (error as { errno?: unknown }).errno !== NEEDS_PROCESS) throw error
      sight = { ...sight, transactions: false }
    }
    return look(engine, run)
  }
  return look
}
