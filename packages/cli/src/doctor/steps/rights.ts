/** May the login count sessions, and end those of its own account? Both are tried, the second on a session of ours. */

import { codeOf, LeaseholdError } from '@leasehold/core'

import { counted } from '../../sessions/wording.ts'
import { kindOf } from '../../target/classify.ts'
import { runOn } from '../../target/connector.ts'
import type { Session } from '../../target/session.ts'
import type { Examination } from '../examination.ts'
import { fine, type Finding, goOn, skipped, type StepOutcome, warning, wrong } from '../finding.ts'

export async function examineRights(examination: Examination): Promise<StepOutcome> {
  return goOn(await census(examination), await labels(examination), await termination(examination))
}

async function census(examination: Examination): Promise<Finding> {
  const { pool } = examination
  const view = await examination.within('the census', () => pool.census())
  const { censusRefused } = pool.stats()
  if (view === undefined || censusRefused > 0) {
    return wrong('CENSUS_REFUSED', 'the server refuses the statement that counts its sessions')
  }
  examination.view = view
  return fine(`counts ${counted(view.usedCount, 'session')}`, { usedCount: view.usedCount })
}

async function labels(examination: Examination): Promise<Finding> {
  const { engine, pool } = examination
  if (engine === 'postgresql') return fine('sees the labels of all sessions')
  const ask = (): ReturnType<typeof runOn> => runOn(pool, 'select @@performance_schema as v')
  const [row] = await examination.within('performance_schema', ask)
  return Number(row?.['v']) === 1
    ? fine('sees the labels of its own account')
    : warning('LABELS_HIDDEN', 'performance_schema is off, so nobody sees a label')
}

async function termination(examination: Examination): Promise<Finding> {
  const { isBehindProxy, pool } = examination
  // What would be ended is the pooler's, and may be in somebody else's use.
  if (isBehindProxy) return skipped('ending a session is not tried behind a proxy')
  let first: Session | undefined
  let second: Session | undefined
  try {
    first = await pool.connect()
    second = await examination.within('a second session', () => pool.connect())
    return await endOne(examination, first, second)
  } catch (error) {
    const isFull = kindOf(examination.target.protocol, error) === 'saturated'
    if (isFull) return skipped('ending a session is not tried: there is no second slot to do it with')
    throw error
  } finally {
    first?.release()
    second?.discard()
  }
}

async function endOne(examination: Examination, first: Session, second: Session): Promise<Finding> {
  const isPostgres = first.engine === 'postgresql'
  const number = isPostgres ? 'pg_backend_pid()' : 'connection_id()'
  const [row] = await examination.within('its number', () => second.run(`select ${number} as id`))
  const id = Number(row?.['id'])
  const statement = isPostgres ? `select pg_terminate_backend(${id})` : `kill ${id}`
  try {
    await examination.within('ending a session', () => first.run(statement))
    await examination.within('the end of the session', () => second.ended)
  } catch (error) {
    const code = LeaseholdError.is(error) ? 'it stayed' : codeOf(error)
    return wrong('TERMINATION_REFUSED', `a session of its own account can't be ended (${code})`)
  }
  return fine('may end sessions of its own account')
}
