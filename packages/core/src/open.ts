/** Opens one connection: attempt, classify, back off, try again, within one deadline. */

import type { Clock } from './clock.ts'
import type { Credential, CredentialTarget } from './credentials.ts'
import { Deadline, within } from './deadline.ts'
import type { Diagnostics } from './diagnostics.ts'
import type { Dialect } from './dialect.ts'
import { codeOf, type ErrorKind, LeaseholdError } from './errors.ts'
import { giveUp } from './giving-up.ts'
import type { Knowledge } from './knowledge.ts'
import type { LimitedLog } from './log.ts'
import type { MetricName, Observe } from './metrics.ts'
import type { ResolvedOptions } from './options/options.ts'
import { type ConnectPhase, Phases } from './phases.ts'
import { firstDelayMs, nextDelayMs, publishedWaitMs } from './policy-waiting.ts'
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
  /** It had to wait for its slot: refused, or out of courtesy to those who do. */
  readonly queued: boolean
  /** What to log in with, where the pool has a source of credentials. */
  readonly credential: Credential | undefined
  /** To be told when what was tried is tried again in another way, within the same attempt; for the metrics. */
  begun(): void
  /** To be told when a phase of the connect ends, in their order; for the metrics. */
  reached(phase: ConnectPhase): void
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
  readonly diagnostics: Diagnostics
  readonly observe: Observe
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
  const { clock, observe, options, knowledge, random, stats } = parts
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

  const othersWaited = knowledge.view?.waiting === true
  const courtesyMs = firstDelayMs(
    {
      view: knowledge.view,
      viewAgeMs: knowledge.viewAgeMs,
      sinceYieldMs: knowledge.sinceYieldMs(),
      turnMs: knowledge.turnMs,
      gapMs: knowledge.gapMs,
      connectMs: knowledge.connectMs,
    },
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

  const observeCredential: Observe = (name, value) => {
    observe(name, value)
    const line = CREDENTIAL_LINES[name]
    if (line !== undefined) parts.log.warn('credentials', line)
  }

  const sawWait = (): void => {
    if (queuedMs > 0) observe('SlotWaitTime', queuedMs)
  }

  for (;;) {
    const startedMs = acquire.elapsedMs()
    const turnMs = courtesyMs > 0 ? knowledge.sinceYieldMs() : undefined
    const phases = new Phases(clock)
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
                observe: observeCredential,
              })
        // Too late: another attempt is under way, on the same client.
        both.throwIfAborted()
        lastGiven = credential
        phases.begin()
        // The source has nothing else to try: the server's own word is the last one.
        if (credential === undefined && denial !== undefined) throw denial
        const publishedMs = publishedWaitMs(queuedMs, refused, othersWaited)
        return connect({
          signal: both,
          publishedWaitMs: publishedMs,
          wasRefused: refused > 0,
          queued: publishedMs > 0,
          credential,
          begun: () => phases.begin(),
          reached: (phase) => phases.reached(phase),
        })
      })
      const durationMs = acquire.elapsedMs() - startedMs
      knowledge.sawConnect(durationMs)
      knowledge.sawTurn(turnMs)
      knowledge.sawWait(publishedWaitMs(queuedMs, refused, othersWaited))
      observe('ConnectTime', durationMs)
      phases.observe(observe)
      sawWait()
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
        tellRetry(parts, kind, error, attempts, 0)
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
                waitedMs: acquire.elapsedMs(),
                turnMs: courtesyMs > 0 ? knowledge.turnMs : undefined,
                attempts,
                attemptMs: acquire.elapsedMs() - startedMs,
                refused: kind === 'saturated',
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
        if (kind === 'saturated') queuedMs = acquire.elapsedMs()
        sawWait()
        const outOfTime = refusal !== undefined && LeaseholdError.is(error)
        throw outOfTime
          ? giveUp(parts, refusal, 'saturated', attempts, acquire.elapsedMs())
          : giveUp(parts, error, kind, attempts, acquire.elapsedMs())
      }
      if (attempts === 1 && kind !== 'saturated') {
        const patience = `trying again for up to ${options.resumeBudgetMs} ms`
        parts.log.warn('unreachable', `the server cannot be reached (${codeOf(error)}): ${patience}`)
      }
      countRetry(stats, kind)
      tellRetry(parts, kind, error, attempts, delayMs)
      await clock.sleep(delayMs, signal)
      if (kind === 'saturated') queuedMs += acquire.elapsedMs() - startedMs
    }
  }
}

const CREDENTIAL_LINES: Partial<Record<MetricName, string>> = {
  SecretsServedStale: 'the secret could not be read again, so that connects go on with an older one',
  SecretsThrottled: 'Secrets Manager refuses requests because there are too many: raise `ttlMs`',
}

function kindOf(dialect: Dialect, error: unknown): ErrorKind {
  if (LeaseholdError.is(error)) {
    return error.code === 'CONNECT_TIMEOUT' || error.code === 'CREDENTIALS_UNAVAILABLE' ? 'starting' : 'fatal'
  }
  return dialect.classify(error)
}

function countRetry(stats: Stats, kind: ErrorKind): void {
  if (kind === 'saturated') stats.retriedSaturated += 1
  else if (kind === 'lost') stats.retriedLost += 1
  else stats.retriedStarting += 1
}

function tellRetry(
  parts: OpenParts,
  kind: ErrorKind,
  error: unknown,
  attempts: number,
  delayMs: number,
): void {
  parts.diagnostics.tell('retry', () => ({
    kind,
    code: codeOf(error),
    attempts,
    delayMs: Math.round(delayMs),
  }))
}
