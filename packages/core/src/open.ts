/** Opens one connection: attempt, classify, back off, try again, within one deadline. */

import type { LimitOf } from './census.ts'
import type { Clock } from './clock.ts'
import type { Credential, CredentialTarget } from './credentials.ts'
import { Deadline, within } from './deadline.ts'
import type { Dialect } from './dialect.ts'
import { annotate, codeOf, type ErrorKind, type FailureDetails, LeaseholdError } from './errors.ts'
import type { Knowledge } from './knowledge.ts'
import type { LimitedLog } from './log.ts'
import type { ResolvedOptions } from './options/options.ts'
import { firstDelayMs, nextDelayMs, publishedWaitMs } from './policy.ts'
import type { Random } from './random.ts'
import type { Stats } from './stats.ts'

/** A source that always has another credential must not hammer the server with them. */
const MOST_DENIALS = 4

/** What an adapter is told for one attempt. */
export interface Attempt {
  /** Aborts at the attempt's limit; whoever opens then closes, even what arrives late. */
  readonly signal: AbortSignal
  /** How long this newcomer has had to wait, for its label. */
  readonly publishedWaitMs: number
  /** At least one attempt was refused for want of a slot. */
  readonly wasRefused: boolean
  /** What to log in with, where the pool has a source of credentials. */
  readonly credential: Credential | undefined
}

/** An attempt to connect that failed. */
export interface FailedAttempt {
  readonly error: unknown
  /** Attempts made so far; at least 1. */
  readonly attempts: number
  /** What the policy would wait; undefined where no further attempt is to be made. */
  readonly delayMs: number | undefined
}

export interface OpenParts {
  readonly dialect: Dialect
  readonly options: ResolvedOptions
  readonly clock: Clock
  readonly random: Random
  readonly knowledge: Knowledge
  readonly stats: Stats
  readonly log: LimitedLog
  /** How long this request may wait: `acquireTimeoutMs`, or less where the invocation ends sooner. */
  readonly acquireLimitMs: number
  /** What is left of the invocation, where that is known: patience with a starting server ends there too. */
  readonly spendableMs?: number | undefined
  /** Hears of every attempt that failed, and may choose the delay: undefined gives up. */
  readonly pace?: ((failed: FailedAttempt) => number | undefined) | undefined
}

/**
 * Resolves with what `connect` resolves with. Rejects with the driver's own error of the last
 * attempt, `error.leasehold` added, or with the signal's reason when `signal` aborts.
 */
export async function open<T>(
  parts: OpenParts,
  connect: (attempt: Attempt) => Promise<T>,
  signal?: AbortSignal,
  target?: CredentialTarget,
): Promise<T> {
  signal?.throwIfAborted()
  const { clock, options, knowledge, random, stats } = parts
  const acquire = new Deadline(clock, parts.acquireLimitMs)
  const resume = new Deadline(
    clock,
    Math.min(options.resumeBudgetMs, parts.spendableMs ?? Number.POSITIVE_INFINITY),
  )
  let attempts = 0
  let refused = 0
  let refusal: unknown
  let denial: unknown
  const denied: Credential[] = []
  let lastGiven: Credential | undefined

  const courtesyMs = firstDelayMs(
    { view: knowledge.view, viewAgeMs: knowledge.viewAgeMs, sinceYieldMs: knowledge.sinceYieldMs() },
    random,
  )
  if (courtesyMs > 0) await clock.sleep(Math.min(courtesyMs, acquire.leftMs() / 2), signal)
  // Waited for a slot: a wait for a server that is starting is no news of the queue.
  let queuedMs = acquire.elapsedMs()

  const budgetFor = (kind: ErrorKind, error: unknown): Deadline | undefined => {
    if (kind === 'saturated' || (refusal !== undefined && LeaseholdError.is(error))) return acquire
    return kind === 'starting' || kind === 'lost' ? resume : undefined
  }

  const mayAskAgain = (): boolean => denied.length < MOST_DENIALS && acquire.leftMs() > 0

  for (;;) {
    const startedMs = acquire.elapsedMs()
    attempts += 1
    stats.attempts += 1
    try {
      // Once refused it is the slot that is waited for, and that wait ends with the acquire timeout.
      const leftMs = refusal === undefined ? Math.max(acquire.leftMs(), resume.leftMs()) : acquire.leftMs()
      const limitMs = Math.min(options.connectTimeoutMs, Math.max(leftMs, 1))
      const opened = await within(clock, limitMs, 'connecting', async (attemptSignal) => {
        const both = signal === undefined ? attemptSignal : AbortSignal.any([signal, attemptSignal])
        // Without a source the connect starts at once, in the caller's own turn.
        const credential =
          options.credentials === undefined || target === undefined
            ? undefined
            : await options.credentials.get({
                target,
                refusals: denied.length,
                refused: denied,
                signal: both,
              })
        // Too late: another attempt is under way, on the same client.
        both.throwIfAborted()
        lastGiven = credential
        // The source has nothing else to try: the server's own word is the last one.
        if (credential === undefined && denial !== undefined) throw denial
        return connect({
          signal: both,
          publishedWaitMs: publishedWaitMs(queuedMs, refused),
          wasRefused: refused > 0,
          credential,
        })
      })
      knowledge.sawConnect(acquire.elapsedMs() - startedMs)
      return opened
    } catch (error) {
      signal?.throwIfAborted()
      const kind = kindOf(parts.dialect, error)
      if (kind === 'saturated') {
        refused += 1
        stats.refused += 1
        refusal = error
      }
      if (kind === 'auth' && error !== denial && lastGiven !== undefined && mayAskAgain()) {
        denied.push(lastGiven)
        denial = error
        stats.denied += 1
        continue
      }
      const budget = budgetFor(kind, error)
      const planMs =
        budget === undefined
          ? undefined
          : nextDelayMs(
              {
                view: knowledge.view,
                viewAgeMs: knowledge.viewAgeMs,
                sinceYieldMs: undefined,
                waitedMs: acquire.elapsedMs(),
                attempts,
                attemptMs: acquire.elapsedMs() - startedMs,
                leftMs: budget.leftMs(),
              },
              options,
              random,
            )
      const pacedMs = parts.pace === undefined ? planMs : parts.pace({ error, attempts, delayMs: planMs })
      // A pace of the application's own changes when, within the same budget; never whether it may be tried.
      const delayMs =
        planMs === undefined || pacedMs === undefined || budget === undefined
          ? undefined
          : Math.min(pacedMs, budget.leftMs())
      if (delayMs === undefined) {
        const outOfTime = refusal !== undefined && LeaseholdError.is(error)
        throw outOfTime
          ? giveUp(parts, refusal, 'saturated', attempts, acquire.elapsedMs())
          : giveUp(parts, error, kind, attempts, acquire.elapsedMs())
      }
      if (attempts === 1 && kind !== 'saturated') {
        const patience = `trying again for up to ${options.resumeBudgetMs} ms`
        parts.log.warn('unreachable', `the server cannot be reached (${codeOf(error)}): ${patience}`)
      }
      await clock.sleep(delayMs, signal)
      if (kind === 'saturated') queuedMs += acquire.elapsedMs() - startedMs
    }
  }
}

function kindOf(dialect: Dialect, error: unknown): ErrorKind {
  if (LeaseholdError.is(error)) {
    return error.code === 'CONNECT_TIMEOUT' || error.code === 'CREDENTIALS_UNAVAILABLE' ? 'starting' : 'fatal'
  }
  return dialect.classify(error)
}

function giveUp(
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
    parts.log.error(kind, details.summary)
  }
  annotate(error, details)
  return error
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
