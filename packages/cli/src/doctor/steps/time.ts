/** Do the clocks agree, and do the time limits of both sides? */

import type { Engine } from '@leasehold/core'

import { duration } from '../../sessions/wording.ts'
import { sourceIn } from '../../target/target.ts'
import type { Examination } from '../examination.ts'
import { fine, type Finding, goOn, type StepOutcome, warning, wrong } from '../finding.ts'

/** AWS refuses signatures that are further from its clock; a token is of use for 15 minutes. */
const SIGNATURE_SKEW_MS = 300_000
/** Labels have whole seconds, and a census believes those of the last two. */
const LABEL_SKEW_MS = 5_000
/** NAT gateways and network load balancers forget a flow that has been idle for so long. */
const FLOW_MS = 350_000
/** As the table of options has it. */
const DEFAULT_MAX_LEASE_MS = 300_000

/** Limits in milliseconds; 0 is none. */
const STATEMENTS: Readonly<Record<Engine, string>> = {
  // 13 has no idle_session_timeout. On a session with a lease it shows the lease.
  postgresql: `select extract(epoch from clock_timestamp()) * 1000 as now_ms,
    coalesce((select reset_val::bigint from pg_settings where name = 'idle_session_timeout'), 0) as idle_ms,
    (select setting::bigint from pg_settings where name = 'statement_timeout') as statement_ms`,
  mysql: `select 1000 * unix_timestamp(sysdate(3)) as now_ms, 1000 * least(@@global.wait_timeout, @@global.interactive_timeout) as idle_ms,
    @@session.max_execution_time as statement_ms`,
  mariadb: `select 1000 * unix_timestamp(sysdate(3)) as now_ms, 1000 * @@global.wait_timeout as idle_ms,
    1000 * @@session.max_statement_time as statement_ms`,
}

export async function examineTime(examination: Examination): Promise<StepOutcome> {
  const { clock, engine = 'postgresql', pool } = examination
  const session = await pool.connect()
  try {
    // A statement that opens a connection first would be half as wrong as that takes.
    await examination.within('a round trip', () => session.run('select 1'))
    const sentEpochMs = clock.epochMs()
    const sentMs = clock.monotonicMs()
    const [row = {}] = await examination.within('the time limits', () => session.run(STATEMENTS[engine]))
    const roundTripMs = clock.monotonicMs() - sentMs
    const number = (name: string): number => Number(row[name] ?? 0)
    const skewMs = number('now_ms') - (sentEpochMs + roundTripMs / 2)
    return goOn(
      clocks(examination, skewMs, roundTripMs),
      ...limits(examination, { idleMs: number('idle_ms'), statementMs: number('statement_ms') }),
    )
  } finally {
    session.release()
  }
}

function clocks(examination: Examination, skewMs: number, roundTripMs: number): Finding {
  const facts = { skewMs: Math.round(skewMs), roundTripMs: Math.round(roundTripMs) }
  const way = skewMs > 0 ? 'behind' : 'ahead of'
  const said = `this machine's clock is ${duration(Math.abs(skewMs))} ${way} the server's`
  const bySignature = sourceIn(examination.options) !== undefined
  if (Math.abs(skewMs) > SIGNATURE_SKEW_MS && bySignature) return wrong('CLOCK_SKEWED', said, { facts })
  if (Math.abs(skewMs) > LABEL_SKEW_MS) return warning('CLOCK_SKEWED', said, { facts })
  return fine(`the clocks agree to ${duration(Math.max(Math.abs(skewMs), roundTripMs))}`, facts)
}

function limits(
  { asksForLease, options }: Examination,
  of: { idleMs: number; statementMs: number },
): Finding[] {
  const found: Finding[] = []
  const { idleMs, statementMs } = of
  const maxLeaseMs = Number(options['maxLeaseMs'] ?? DEFAULT_MAX_LEASE_MS)
  const queryTimeoutMs = Number(options['queryTimeoutMs'] ?? 0)
  if (maxLeaseMs > FLOW_MS) {
    found.push(
      warning('LEASE_OUTLIVES_FLOW', `\`maxLeaseMs\` is ${duration(maxLeaseMs)}`, { facts: { maxLeaseMs } }),
    )
  }
  if (!asksForLease && idleMs > 0 && idleMs < maxLeaseMs) {
    const said = `the server ends idle sessions after ${duration(idleMs)}, and the pool keeps them for ${duration(maxLeaseMs)}`
    found.push(warning('IDLE_LIMIT_SHORTER', said, { facts: { idleMs, maxLeaseMs } }))
  }
  if (statementMs > 0 && queryTimeoutMs > statementMs) {
    const said = `the server ends statements after ${duration(statementMs)}, \`queryTimeoutMs\` is ${duration(queryTimeoutMs)}`
    found.push(warning('STATEMENT_LIMIT_SHORTER', said, { facts: { statementMs, queryTimeoutMs } }))
  }
  if (found.length > 0) return found
  return [fine('the time limits of both sides fit together', { idleMs, statementMs, maxLeaseMs })]
}
