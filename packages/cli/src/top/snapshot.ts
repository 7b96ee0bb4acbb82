/** One look at a server's slots: how many are used, and by which sessions, as far as the login sees. */

import type { Engine, LimitOf } from '@leasehold/core'

import { groupsOf, type SessionGroup } from '../sessions/groups.ts'
import type { LookAtSessions } from '../sessions/look.ts'
import type { ServerSession } from '../sessions/statement.ts'
import type { Connector } from '../target/session.ts'

export interface Snapshot {
  readonly atEpochMs: number
  readonly engine: Engine
  /** Of the limit under the most pressure. Undefined where the server refuses the census. */
  readonly usedCount: number | undefined
  readonly slotCount: number | undefined
  readonly limitOf: LimitOf | undefined
  /** Sessions more that the server would take from this login. */
  readonly freeCount: number | undefined
  readonly sessions: readonly ServerSession[]
  readonly groups: readonly SessionGroup[]
  /** Sessions that are counted, and that this login may not see: other accounts', on MySQL and MariaDB. */
  readonly unseenCount: number
  /** Not even the label of the session that looks is shown: fleets can't be told apart. */
  readonly labelsHidden: boolean
  /** Of the session that looks. */
  readonly ownId: number | undefined
}

/** @param fleet only sessions of this one are listed; the counts are of all */
export async function takeSnapshot(
  pool: Connector,
  look: LookAtSessions,
  atEpochMs: number,
  fleet?: string,
): Promise<Snapshot> {
  const session = await pool.connect()
  let all: readonly ServerSession[]
  try {
    all = await look(session.engine, (statement) => session.run(statement))
  } catch (error) {
    session.discard()
    throw error
  }
  session.release()
  const view = await pool.census()
  const sessions = fleet === undefined ? all : all.filter((one) => one.fleet === fleet)
  const own = all.find((one) => one.own)
  return {
    atEpochMs,
    engine: session.engine,
    usedCount: view?.usedCount,
    slotCount: view?.slotCount,
    limitOf: view?.limit,
    freeCount: view?.freeCount,
    sessions,
    groups: groupsOf(sessions),
    unseenCount: view?.limit === 'server' ? Math.max(0, view.usedCount - all.length) : 0,
    labelsHidden: own !== undefined && own.fleet === undefined,
    ownId: own?.id,
  }
}
