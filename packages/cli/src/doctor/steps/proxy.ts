/** Is there a pooler or proxy in between? It answers the login itself, with a session number that it made up. */

import { runOn } from '../../target/connector.ts'
import type { Examination } from '../examination.ts'
import { fine, goOn, type StepOutcome, wrong } from '../finding.ts'

/** Endpoints of RDS Proxy: `name.proxy-….region.rds.amazonaws.com`, its own endpoints included. */
const RDS_PROXY = /\.(?:endpoint\.)?proxy-[a-z0-9]+\.[a-z0-9-]+\.rds\.amazonaws\.com/

export async function examineProxy(examination: Examination): Promise<StepOutcome> {
  const { aliases, engine, loginId, place, pool } = examination
  const statement = engine === 'postgresql' ? 'select pg_backend_pid() as id' : 'select connection_id() as id'
  const ask = async (): Promise<readonly [number | undefined, number]> => {
    const session = await pool.connect()
    try {
      const [row] = await session.run(statement)
      return [session.loginId ?? loginId, Number(row?.['id'])]
    } finally {
      session.release()
    }
  }
  const [answered, actual] = await examination.within("the session's number", ask)
  // As 32 bits, which is what the answer to a login has room for.
  const isOther = answered !== undefined && answered >>> 0 !== actual >>> 0
  const isRdsProxy = [place.host, ...aliases].some((name) => RDS_PROXY.test(name))
  examination.isBehindProxy = isOther || isRdsProxy
  if (!examination.isBehindProxy)
    return goOn(fine("none: the session is the server's own", { sessionId: actual }))
  const who = isRdsProxy ? 'RDS Proxy' : await poolerName(examination)
  const how = isOther
    ? `: the login was answered as session ${answered >>> 0}, statements run in session ${actual}`
    : ''
  const facts = { proxy: who }
  const said = `${who} is in between${how}`
  return goOn(
    examination.asksForLease
      ? wrong('PROXY_BETWEEN', said, { facts })
      : fine(`${said}; no lease is asked for`, facts),
  )
}

/** PgBouncer and ProxySQL say so; others stay "a pooler". */
async function poolerName(examination: Examination): Promise<string> {
  const { engine, pool } = examination
  if (engine === 'postgresql')
    return pool.stats().leaseRefused > 0 ? 'a pooler such as PgBouncer' : 'a pooler'
  const ask = (): ReturnType<typeof runOn> => runOn(pool, 'select @@version_comment as comment')
  const rows = await examination.within('the comment', ask).catch(() => [])
  return /proxysql/i.test((rows[0]?.['comment'] as string | undefined) ?? '') ? 'ProxySQL' : 'a pooler'
}
