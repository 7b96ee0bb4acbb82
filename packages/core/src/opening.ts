/** How a connection of a pool comes to be: attempt after attempt, with a lease, until it is the governor's. */

import { type Clock, Moment } from './clock.ts'
import type { GovernedConnection, Opened } from './connection.ts'
import type { CredentialTarget } from './credentials.ts'
import { type Env, functionName } from './env.ts'
import type { Invocation } from './invocation.ts'
import type { Knowledge } from './knowledge.ts'
import { formatLabel } from './label.ts'
import { Lease } from './lease.ts'
import type { Observations } from './observations.ts'
import { type Attempt, open, type OpenParts } from './open.ts'
import { drawQuantumMs } from './policy-keeping.ts'
import { isLate } from './policy-waiting.ts'
import { leaseFor, type LeaseStep, shortLeaseMs } from './policy.ts'
import type { Random } from './random.ts'
import type { Reaper } from './reaper.ts'
import type { RecallTerms } from './recall.ts'

export interface OpeningParts extends Omit<OpenParts, 'acquireLimitMs' | 'spendableMs'> {
  readonly clock: Clock
  readonly env: Env
  readonly random: Random
  readonly knowledge: Knowledge
  readonly ladder: readonly LeaseStep[]
  readonly reaper: Reaper
  readonly observations: Observations
  readonly spendableMs: () => number | undefined
}

type Connect<T> = (attempt: Attempt) => Promise<Opened<T>>

/** How a connection came by its slot. */
export type Turn = Pick<GovernedConnection, 'queued' | 'refused' | 'late'>

export const AT_ONCE: Turn = { queued: false, refused: false, late: false }

interface Admitted<T> {
  readonly connection: T
  readonly governed: GovernedConnection
}

export class Opening {
  readonly #parts: OpeningParts
  #leaseRefused = false
  #openedCount = 0

  constructor(parts: OpeningParts) {
    this.#parts = parts
  }

  get asksForLease(): boolean {
    return this.#parts.options.lease === 'server' && !this.#leaseRefused
  }

  startLeaseMs(queued: boolean): number {
    const { knowledge, ladder, options } = this.#parts
    if (queued) return options.minLeaseMs
    const { view, viewAgeMs } = knowledge
    const isKnown = view !== undefined && viewAgeMs <= options.censusEveryMs
    return isKnown ? leaseFor(view, ladder) : shortLeaseMs(options)
  }

  label(attempt: Pick<Attempt, 'publishedWaitMs'>, name?: string, recall?: RecallTerms): string {
    const { clock, env, options } = this.#parts
    return formatLabel({
      recall,
      fleet: options.fleet,
      name: name ?? functionName(env) ?? 'local',
      waitedMs: attempt.publishedWaitMs,
      openedEpochMs: clock.epochMs(),
    })
  }

  refuseLease(why: string): void {
    const { log, stats } = this.#parts
    stats.leaseRefused += 1
    this.#leaseRefused = true
    const line = `${why}; idle connections are now dropped by this side alone, and pinged before use`
    log.once('lease-refused', line)
  }

  /** @param admit takes what was opened under governance, and is told whether it had to wait for its slot */
  async open<T>(
    connect: Connect<T>,
    acquireLimitMs: number,
    signal: AbortSignal | undefined,
    target: CredentialTarget | undefined,
    admit: (opened: Opened<T>, turn: Turn) => GovernedConnection,
  ): Promise<Admitted<T>> {
    const { clock, knowledge, observations, reaper, spendableMs, stats } = this.#parts
    const parts = { ...this.#parts, acquireLimitMs, spendableMs: spendableMs() }
    let turn = AT_ONCE
    const attemptOnce = async (attempt: Attempt): Promise<Opened<T>> => {
      if (attempt.wasRefused) reaper.sawRefusal()
      const late = isLate(attempt.publishedWaitMs, knowledge.view)
      turn = { queued: attempt.queued, refused: attempt.wasRefused, late }
      return this.#withLease(connect, attempt)
    }
    knowledge.sawReturn()
    observations.opening(target)
    const begun = new Moment(clock)
    const opened = await open(parts, attemptOnce, signal, target)
    stats.opened += 1
    const governed = admit(opened, turn)
    observations.opened(governed, begun.elapsedMs(clock))
    return { connection: opened.connection, governed }
  }

  /** A server that refuses a lease at start-up costs the lease, and one attempt more. */
  async #withLease<T>(connect: Connect<T>, attempt: Attempt): Promise<Opened<T>> {
    if (!this.asksForLease) return connect(attempt)
    try {
      return await connect(attempt)
    } catch (error) {
      if (!this.#parts.dialect.refusesLease(error)) throw error
      this.refuseLease('the server or a proxy before it refuses a lease at start-up')
      attempt.begun()
      return connect(attempt)
    }
  }

  /** @param taker whose it is, being checked out */
  admit(opened: Opened<unknown>, turn: Turn, taker: Invocation): GovernedConnection {
    const { clock, knowledge, options, random } = this.#parts
    const byServer = opened.leaseMs !== undefined
    this.#openedCount += 1
    const isStarter = this.#openedCount === 1 && !turn.queued
    return {
      number: this.#openedCount,
      lease: new Lease(clock, opened.leaseMs ?? options.maxLeaseMs, byServer ? 'server' : 'client'),
      hands: opened.hands,
      quantumMs: drawQuantumMs(knowledge.connectMs, isStarter, random),
      ...turn,
      confirmed: opened.exact,
      proven: false,
      checkedOut: true,
      invocation: taker,
      takenAt: undefined,
      spoilt: false,
      checking: undefined,
      scheduled: false,
      place: undefined,
    }
  }
}
