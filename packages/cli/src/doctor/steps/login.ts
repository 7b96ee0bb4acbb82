/** Does the server let the user in? By the library's own pool, with the application's own options. */

import { codeOf, failureDetails, LeaseholdError } from '@leasehold/core'

import { timeOfDay } from '../../sessions/wording.ts'
import { kindOf } from '../../target/classify.ts'
import type { Examination } from '../examination.ts'
import { type FaultCode, faultOf } from '../faults.ts'
import { fine, type Finding, goOn, stop, type StepOutcome, wrong } from '../finding.ts'
import { readToken } from './token.ts'

export async function examineLogin(examination: Examination): Promise<StepOutcome> {
  const { clock, pool } = examination
  const startMs = clock.monotonicMs()
  try {
    // The pool's own limits hold for connecting, reading a secret again among it.
    const session = await examination.within('the login', () => pool.connect(), 2 * examination.limitMs)
    examination.engine = session.engine
    examination.loginId = session.loginId
    session.release()
    const tookMs = Math.round(clock.monotonicMs() - startMs)
    const { database, user } = examination.place
    const as = examination.credential?.user ?? user ?? 'nobody'
    const into = database === undefined ? '' : `, database ${database}`
    return goOn(fine(`logged in as ${as}${into} (${tookMs} ms)`, { user: as, database, loginMs: tookMs }))
  } catch (error) {
    return stop(failed(examination, error))
  }
}

/** Codes that name the fault by themselves: SQLSTATE, or the driver's name for an errno. */
const BY_CODE: Readonly<Record<string, FaultCode>> = {
  '3D000': 'DATABASE_UNKNOWN',
  ER_BAD_DB_ERROR: 'DATABASE_UNKNOWN',
  '42501': 'DATABASE_DENIED',
  ER_DBACCESS_DENIED_ERROR: 'DATABASE_DENIED',
  ER_HOST_NOT_PRIVILEGED: 'HOST_REFUSED',
  ER_HOST_IS_BLOCKED: 'HOST_REFUSED',
  ER_SECURE_TRANSPORT_REQUIRED: 'TLS_DEMANDED',
  TLS_REQUIRED: 'TLS_DEMANDED',
  CREDENTIALS_INVALID: 'CREDENTIALS_INVALID',
  CREDENTIALS_UNAVAILABLE: 'CREDENTIALS_UNAVAILABLE',
  CONNECT_TIMEOUT: 'NO_ANSWER',
  ACQUIRE_TIMEOUT: 'NO_ANSWER',
}

function failed(examination: Examination, error: unknown): Finding {
  const code = codeOf(error)
  const said = textOf(error)
  const kind = kindOf(examination.target.protocol, error)
  const words = `${said} (${code})`
  const named = BY_CODE[code]
  if (named !== undefined) return wrong(named, LeaseholdError.is(error) ? said : words)
  if (code === '28000' && said.includes('pg_hba.conf')) return refusedByHba(examination, words)
  // The driver's own words, without a code, for a server that asks for a password where none was given.
  const isAsked = /password must be a (non-empty )?string|using password: NO/.test(said)
  if (isAsked && examination.credential === undefined) {
    return wrong('CREDENTIALS_MISSING', 'the server asks for a password, and none was given')
  }
  if (kind === 'auth') return refused(examination, words)
  if (kind === 'saturated') {
    const { attempts = 1, waitedMs = 0 } = failureDetails(error) ?? {}
    const tries = attempts === 1 ? '' : `, ${attempts} attempts within ${Math.round(waitedMs)} ms`
    return wrong('SATURATED', `${words}${tries}`)
  }
  if (code === '57P03') return wrong('SERVER_STARTING', words)
  if (kind === 'lost') return wrong('CONNECTION_LOST', words)
  return wrong('LOGIN_FAILED', words)
}

/** The missing line may be one that is there, but for TLS only. */
function refusedByHba({ offersTls, place }: Examination, words: string): Finding {
  const isBare = place.tls.wanted === 'no' && /no encryption|SSL off/.test(words)
  return isBare && offersTls !== false ? wrong('TLS_DEMANDED', words) : wrong('HOST_REFUSED', words)
}

function refused({ clock, credential, offersTls, place, target }: Examination, words: string): Finding {
  const token = credential === undefined ? undefined : readToken(credential.password)
  if (token === undefined) {
    // MariaDB says the same to a right password where it demands TLS.
    const mayDemandTls = target.protocol === 'mysql' && place.tls.wanted === 'no' && offersTls === true
    const remedy = mayDemandTls
      ? `${faultOf('PASSWORD_REFUSED').remedy} It may demand TLS, too: try --tls or --ca.`
      : undefined
    return wrong('PASSWORD_REFUSED', words, { remedy })
  }
  const { host, livesS = 900, port, region, signedAt, user } = token
  const signed = `signed for ${host}${port === undefined ? '' : `:${port}`}, ${region}, user ${user ?? 'none'}`
  return wrong(
    'TOKEN_REFUSED',
    `${words}; ${signed}, at ${signedAt} for ${livesS} s; here it is ${timeOfDay(clock.epochMs())}`,
    {
      facts: { host, port, region, user, signedAt },
    },
  )
}

function textOf(error: unknown): string {
  if (error instanceof Error && error.message !== '') return error.message
  return 'no words were given'
}
