/** Does the server enforce the lease? A session with one of 2 s is left alone, and watched. */

import { LeaseholdError } from '@leasehold/core'

import { duration } from '../../sessions/wording.ts'
import { type Examination, LEASE_MS } from '../examination.ts'
import { fine, goOn, skipped, type StepOutcome, wrong } from '../finding.ts'

/** How much later than its lease a server may end a session: MySQL counts in whole seconds. */
const GRACE_MS = 3_000
/** A session that ends sooner was ended by something else. */
const EARLY_MS = LEASE_MS - 600

export async function examineLease(examination: Examination): Promise<StepOutcome> {
  const { asksForLease, clock, isBehindProxy, options, pool } = examination
  if (!asksForLease) return goOn(skipped(`not asked for: \`lease\` is '${String(options['lease'])}'`))
  const session = await pool.connect()
  if (pool.stats().leaseRefused > 0) {
    session.release()
    const by = isBehindProxy ? 'what is in between' : 'the server'
    return goOn(wrong('LEASE_REFUSED', `${by} takes no lease`))
  }
  const yieldedBefore = pool.stats().yielded
  session.release()
  const startMs = clock.monotonicMs()
  try {
    const code = await examination.within('the lease', () => session.ended, LEASE_MS + GRACE_MS)
    const lastedMs = clock.monotonicMs() - startMs
    const facts = { lastedMs: Math.round(lastedMs), code }
    if (pool.stats().yielded > yieldedBefore) {
      return goOn(skipped('not seen: the server is full, and the session gave its slot up to whoever waits'))
    }
    if (lastedMs < EARLY_MS) {
      return goOn(
        wrong(
          'CONNECTION_LOST',
          `the session ended after ${duration(lastedMs)} already (${code ?? 'no code'})`,
          { facts },
        ),
      )
    }
    return goOn(
      fine(
        `an idle session with a lease of ${duration(LEASE_MS)} was ended after ${duration(lastedMs)}`,
        facts,
      ),
    )
  } catch (error) {
    if (!LeaseholdError.is(error)) throw error
    return goOn(
      wrong(
        'LEASE_NOT_HELD',
        `an idle session with a lease of ${duration(LEASE_MS)} was still there after ${duration(LEASE_MS + GRACE_MS)}`,
      ),
    )
  }
}
