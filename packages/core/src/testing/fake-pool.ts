import { callersOf } from '../call-site.ts'
import { Moment } from '../clock.ts'
import type { Opened } from '../connection.ts'
import { governanceOf, type PoolGovernance } from '../governance.ts'
import { Governor } from '../governor.ts'
import type { Attempt } from '../open.ts'
import type { LeaseholdOptions } from '../options/options.ts'
import { resolveOptions } from '../options/resolve.ts'
import type { Surroundings } from '../surroundings.ts'
import { FakeClient, type FakeQueryOptions, type PooledSession } from './fake-client.ts'
import { fakeDialect } from './fake-dialect.ts'
import { classifyFakeError, type FakeServerError } from './fake-errors.ts'
import type { FakeServer } from './fake-server.ts'
import type { FakeSession } from './fake-session.ts'

const ENDED = 'Cannot use a pool after calling end on the pool'

export interface FakePoolOptions extends LeaseholdOptions {
  /** How many connections at most; a whole number, at least 1. @defaultValue 1 */
  readonly max?: number | undefined
  /** What the pool logs in with. @defaultValue none */
  readonly password?: string | undefined
  /** The name in the label. @defaultValue the Lambda function's, or `local` */
  readonly name?: string | undefined
}

export interface FakePoolQueryOptions extends FakeQueryOptions {
  /** The statement may run twice: it is sent again whenever its connection is lost. @defaultValue false */
  readonly idempotent?: boolean | undefined
}

/**
 * The smallest pool over the core's `Governor`: what an adapter does with its driver's pool, done
 * with a `FakeServer`. Takes its place in the pool synchronously, hands the newest idle connection
 * out first, and serves waiters in their order.
 */
export class FakePool {
  readonly governor: Governor
  readonly leasehold: PoolGovernance
  readonly #server: FakeServer
  readonly #login: { password: string | undefined; name: string | undefined }
  readonly #max: number
  readonly #stop = new AbortController()
  readonly #open = new Set<PooledSession>()
  readonly #idle: PooledSession[] = []
  readonly #waiting: (() => void)[] = []
  #openingCount = 0
  #emptied: (() => void) | undefined

  /** @throws LeaseholdError `INVALID_OPTIONS` */
  constructor(server: FakeServer, options: FakePoolOptions = {}, surroundings: Surroundings = {}) {
    const { max = 1, password, name, ...own } = options
    const problems = Number.isInteger(max) && max >= 1 ? [] : ['`max` must be a whole number, at least 1']
    this.#server = server
    this.#max = max
    this.#login = { password, name }
    this.governor = new Governor(fakeDialect, resolveOptions(own, {}, [], problems), surroundings)
    this.leasehold = governanceOf(this.governor)
    this.governor.observations.facts = { maxCount: () => max, waitingCount: () => this.waitingCount }
  }

  /** Connections open or being opened. */
  get totalCount(): number {
    return this.#open.size + this.#openingCount
  }

  get idleCount(): number {
    return this.#idle.length
  }

  /** Requests that wait for a connection. */
  get waitingCount(): number {
    return this.#waiting.length
  }

  /** Rejects with the server's own error, or with `ACQUIRE_TIMEOUT` while every connection is in use. */
  connect(): Promise<FakeClient> {
    if (this.#stop.signal.aborted) return Promise.reject(new Error(ENDED))
    const pooled = this.#idle.pop()
    if (pooled !== undefined) return this.#reuse(pooled)
    // What an earlier invocation left checked out takes a place that is free.
    if (this.totalCount >= this.#max) this.governor.noticeInvocation()
    return this.totalCount < this.#max ? this.#openNew() : this.#whenFree()
  }

  /** One statement on a connection of the pool's. Sent again where the connection is lost and that is safe. */
  async query(statement: string, options: FakePoolQueryOptions = {}): Promise<{ rows: readonly unknown[] }> {
    const { idempotent = false, signal } = options
    const send = async (): Promise<{ rows: readonly unknown[] }> => {
      const client = await this.connect()
      try {
        return await client.query(statement, options)
      } finally {
        client.release()
      }
    }
    try {
      return await send()
    } catch (error) {
      return this.governor.statements.recover(error, idempotent, send, signal)
    }
  }

  /** Closes idle connections now, those in use when they come back. Resolves when all are closed. */
  end(): Promise<void> {
    if (this.#stop.signal.aborted) return Promise.reject(new Error('Called end on pool more than once'))
    this.#stop.abort(new Error(ENDED))
    this.governor.observations.ends()
    return new Promise((resolve) => {
      this.#emptied = this.governor.observations.afterFlush(resolve)
      this.#closeIdle()
      this.#serveWaiting()
    })
  }

  async #reuse(pooled: PooledSession): Promise<FakeClient> {
    const { session, governed } = pooled
    const fitness = session.open ? this.governor.checkout(governed) : 'lapsed'
    if (fitness === 'verify' && !(await this.governor.alive(governed)))
      this.governor.observations.lost(governed)
    else if (fitness === 'lapsed') this.governor.observations.lapsed(governed)
    else if (session.open && !this.#stop.signal.aborted) {
      this.governor.handedOver(governed)
      return this.#client(pooled)
    }
    // Another one in its place, before anybody who waits is served.
    this.#remove(pooled)
    const next = this.connect()
    this.#serveWaiting()
    return next
  }

  async #openNew(): Promise<FakeClient> {
    this.#openingCount += 1
    try {
      const opened = await this.governor.open((attempt) => this.#attempt(attempt), this.#stop.signal)
      const pooled = { session: opened.connection, governed: opened.governed }
      this.#open.add(pooled)
      this.#govern(pooled)
      if (!this.#stop.signal.aborted) return this.#client(pooled)
      this.#remove(pooled)
      throw new Error(ENDED)
    } finally {
      this.#openingCount -= 1
      this.#serveWaiting()
    }
  }

  async #attempt(attempt: Attempt): Promise<Opened<FakeSession>> {
    const { governor } = this
    const { password, name } = this.#login
    const leaseMs = governor.asksForLease ? governor.startLeaseMs(attempt.queued) : undefined
    const label =
      governor.options.lease === 'off' ? undefined : governor.label(attempt, name, governor.recallTerms)
    const { signal } = attempt
    const session = await this.#server.connect({ password, label, leaseMs, signal })
    try {
      await governor.prepareSession(session, signal)
    } catch (error) {
      session.close()
      throw error
    }
    this.#takeIn(session)
    return { connection: session, hands: session, leaseMs, exact: leaseMs !== undefined }
  }

  #takeIn(session: FakeSession): void {
    const isOf = (pooled: PooledSession): boolean => pooled.session === session
    const close = (): void => this.#close([...this.#open].find(isOf))
    session.livesIn({ idle: () => this.#idle.some(isOf), yield: close, drop: close })
  }

  #close(pooled: PooledSession | undefined): void {
    if (pooled === undefined) return
    this.#remove(pooled)
    this.#serveWaiting()
  }

  #govern(pooled: PooledSession): void {
    const { session, governed } = pooled
    session.onAnswer(() => this.governor.answered(governed))
    session.onEnd((error) => {
      this.governor.forget(governed)
      if (!this.#idle.includes(pooled)) return
      this.#countEnd(pooled, error)
      this.#close(pooled)
    })
  }

  #countEnd({ governed }: PooledSession, error: FakeServerError): void {
    if (error.code === 'FAKE_LAPSED' || !governed.lease.usable()) this.governor.observations.lapsed(governed)
    else this.governor.observations.lost(governed)
  }

  #client(pooled: PooledSession): FakeClient {
    const { session, governed } = pooled
    if (this.governor.options.traceCheckouts) governed.takenAt = callersOf(this, ['connect', 'query'])
    return new FakeClient(
      this.governor,
      pooled,
      (error) => {
        if (governed.spoilt || classifyFakeError(error) !== 'read-only') return
        governed.spoilt = true
        this.governor.observations.turnedReadOnly(governed)
      },
      (destroy) => {
        if (destroy || this.#stop.signal.aborted || !session.open || governed.spoilt) this.#remove(pooled)
        else {
          this.governor.checkin(governed)
          this.#idle.push(pooled)
        }
        this.#serveWaiting()
      },
    )
  }

  #whenFree(): Promise<FakeClient> {
    const { acquireLimitMs, clock } = this.governor
    const patience = new AbortController()
    const begun = new Moment(clock)
    return new Promise((resolve, reject) => {
      let over = false
      const take = (): void => {
        this.connect()
          .then((client) => {
            if (!over) this.governor.observations.waited(begun, client.governed)
            return over ? client.release() : resolve(client)
          }, reject)
          .finally(() => patience.abort())
      }
      const giveUp = (): void => {
        over = true
        const place = this.#waiting.indexOf(take)
        if (place >= 0) this.#waiting.splice(place, 1)
        reject(this.governor.busyError(acquireLimitMs, this.totalCount, this.#max))
      }
      clock.sleep(acquireLimitMs, patience.signal).then(giveUp, () => undefined)
      this.#waiting.push(take)
    })
  }

  #serveWaiting(): void {
    const free = (): boolean =>
      this.#stop.signal.aborted || this.#idle.length > 0 || this.totalCount < this.#max
    while (this.#waiting.length > 0 && free()) this.#waiting.shift()?.()
    if (this.totalCount === 0) this.#emptied?.()
  }

  #closeIdle(): void {
    for (const pooled of this.#idle.splice(0)) this.#remove(pooled)
    this.#serveWaiting()
  }

  #remove(pooled: PooledSession): void {
    this.#open.delete(pooled)
    const place = this.#idle.indexOf(pooled)
    if (place >= 0) this.#idle.splice(place, 1)
    this.governor.forget(pooled.governed)
    pooled.session.close()
  }
}
