/** What is said of a connect that was given up: on the error, in the log, to whoever listens. */

import type { LimitOf } from './census.ts'
import { annotate, codeOf, type ErrorKind, type FailureDetails, LeaseholdError } from './errors.ts'
import type { EventDetails } from './events.ts'
import type { Observations } from './observations.ts'
import type { OpenParts } from './open.ts'

/** Returns the error to throw: the one that was given, which tells more now. */
export function giveUp(
  parts: OpenParts,
  error: unknown,
  kind: ErrorKind,
  attempts: number,
  waitedMs: number,
): unknown {
  const details: FailureDetails = {
    kind,
    attempts,
    waitedMs: Math.round(waitedMs),
    pressure: parts.knowledge.pressure,
    summary: summarize(parts, error, kind, attempts, waitedMs),
  }
  if (kind === 'saturated' || kind === 'starting' || kind === 'lost') {
    parts.stats.gaveUp += 1
    parts.log.error(kind, details.summary, toldOf(details, error))
  } else {
    parts.stats.failed += 1
  }
  parts.diagnostics.tell('giveUp', () => toldOf(details, error))
  annotate(error, details)
  return error
}

function toldOf(
  { kind, attempts, waitedMs, pressure }: FailureDetails,
  error: unknown,
): EventDetails['giveUp'] {
  return { kind, code: codeOf(error), attempts, waitedMs, pressure }
}

const REMEDIES: Partial<Record<ErrorKind, string>> = {
  starting: 'check that the server is up and that host, port and security groups are right',
  lost: 'check the network and the server log: connections end before they are established',
  auth: 'check user and password',
}

const LIMIT_REMEDIES: Readonly<Record<LimitOf, string>> = {
  server: 'max_connections',
  database: "the database's connection limit",
  login: "the login's connection limit",
}

function remedyOf(kind: ErrorKind, limit: LimitOf = 'server'): string | undefined {
  if (kind === 'saturated') return `lower reserved concurrency or raise ${LIMIT_REMEDIES[limit]}`
  return REMEDIES[kind]
}

function summarize(
  parts: OpenParts,
  error: unknown,
  kind: ErrorKind,
  attempts: number,
  waitedMs: number,
): string {
  const what = kind === 'saturated' ? 'no slot' : 'no connection'
  const tries = `${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`
  const view = parts.knowledge.view
  const own = view?.fleetCount === undefined ? '' : `, ${view.fleetCount} of them of this fleet`
  const slots =
    view === undefined
      ? 'slots not known: no census yet'
      : `${view.limit ?? 'server'} ${view.usedCount} of ${view.slotCount} slots${own}, ${Math.round(parts.knowledge.viewAgeMs)} ms ago`
  const remedy = remedyOf(kind, view?.limit)
  const last = `last ${kind === 'saturated' ? 'refusal' : 'error'} ${codeOf(error)}`
  const head = `${what} within ${Math.round(waitedMs)} ms (${tries}; ${slots}; ${last})`
  return remedy === undefined ? head : `${head}: ${remedy}`
}

interface Busy {
  readonly waitedMs: number
  readonly inUse: number
  readonly max: number
}

/** The error of a request that waited for a busy pool until its deadline; said and counted as well. */
export function busyError(observations: Observations, busy: Busy): LeaseholdError {
  const message =
    `no connection free within ${busy.waitedMs} ms: ${busy.inUse} of ${busy.max} of this pool are in use or opening; ` +
    'release connections sooner, raise the pool size, or do not wait for one while holding another'
  observations.stayedBusy(message, busy)
  return new LeaseholdError('ACQUIRE_TIMEOUT', message)
}
