/** A genuine `pg.Pool` that hands out no dead client, holds places while it backs off, and keeps house. */

import {
  type Asker,
  callersOf,
  followPlaces,
  governanceOf,
  Governor,
  Moment,
  type Surroundings,
} from '@leasehold/core'

import { poolDialect } from './dialect.ts'
import type { DriverClient, DriverPool, IdleListener, PendingItem, PgModule } from './driver.ts'
import { type GovernedClient, governedClientClass, GOVERNOR } from './governed-client.ts'
import { poolConfig, type PoolOptions, readOptions } from './options.ts'
import { askPool } from './pool-query.ts'
import type { GovernedPool } from './pool-types.ts'
import type { ClientHome } from './session.ts'

export type { GovernedPool } from './pool-types.ts'
export type GovernedPoolClass = new (options?: PoolOptions) => GovernedPool

const ENDED = 'Cannot use a pool after calling end on the pool'

/** Makes the pool class for one driver module. The class name has "Pool" in it: ORMs look for that. */
export function governedPoolClass(driver: PgModule, surroundings: Surroundings = {}): GovernedPoolClass {
  const Base = driver.Pool as unknown as new (options: Record<string, unknown>) => DriverPool

  class GovernedPoolImpl extends Base {
    readonly #governor: Governor
    readonly #askers = new WeakMap<PendingItem, Asker>()
    readonly #quietListeners = new WeakMap<DriverClient, IdleListener>()
    /** Of the query that asks for a connection now. */
    #callers: string | undefined
    readonly leasehold: GovernedPool['leasehold']

    constructor(options: PoolOptions = {}) {
      const { resolved, driver: driverOptions } = readOptions(options)
      const governor = new Governor(poolDialect(), resolved, surroundings)
      const config = poolConfig(driverOptions, governor.poolMax)
      const home: ClientHome = {
        idle: (client) => this._idle.some((item) => item.client === client),
        yield: (client) => this._remove(client, () => this._pulseQueue()),
        drop: (client) => this.#cut(client),
      }
      const Client = governedClientClass(driver, (given) => ({ governor, config: given }), home)
      super({ ...config, Client })
      if (driverOptions['max'] === undefined && driverOptions['poolSize'] === undefined) {
        followPlaces(this.options, 'max')
      }
      // The driver hides the password from printing and so must its copy in ours.
      this.#governor = governor
      this.on('error', ignore)
      this.leasehold = governanceOf(governor)
      governor.observations.facts = {
        maxCount: () => this.options.max,
        waitingCount: () => this.waitingCount,
      }
    }

    get [GOVERNOR](): Governor {
      return this.#governor
    }

    override query(config: unknown, values?: unknown, callback?: unknown): unknown {
      const ask: DriverPool['query'] = (...given) => super.query(...given)
      if (!this.#governor.options.traceCheckouts) {
        return askPool(this, this.#governor, ask, config, values, callback)
      }
      this.#callers = callersOf(GovernedPoolImpl.prototype, ['query'])
      const asked = askPool(this, this.#governor, ask, config, values, callback)
      this.#callers = undefined
      return asked
    }

    override connect(callback?: PendingItem['callback']): Promise<unknown> | undefined {
      const asker = this.#governor.asker()
      if (asker !== undefined) return this.#connectFor(asker, callback)
      if (!this.#governor.options.traceCheckouts) return this.#connect(callback)
      const callers = this.#callers ?? callersOf(GovernedPoolImpl.prototype, ['connect'])
      if (callback === undefined) return this.#connect()?.then((client) => marked(client, callers))
      return this.#connect((error, client, release) => callback(error, marked(client, callers), release))
    }

    /** Where invocations run side by side: what is done for this one is done in its own context. */
    #connectFor(asker: Asker, callback?: PendingItem['callback']): Promise<unknown> | undefined {
      if (callback === undefined) {
        const { Promise: PromiseClass = Promise } = this
        return new PromiseClass((resolve, reject) => {
          void this.#connectFor(asker, (error, client) =>
            error === undefined ? resolve(client) : reject(error),
          )
        })
      }
      const callers = this.#callers ?? this.#tracedCallers()
      const known = this._pendingQueue.length
      void this.#connect((error, client, release) => {
        asker.took((client as GovernedClient | undefined)?.governed)
        asker.run(() => callback(error, callers === undefined ? client : marked(client, callers), release))
      })
      const pending = this._pendingQueue.length > known ? this._pendingQueue.at(-1) : undefined
      if (pending !== undefined) this.#askers.set(pending, asker)
      return undefined
    }

    #tracedCallers(): string | undefined {
      if (!this.#governor.options.traceCheckouts) return undefined
      return callersOf(GovernedPoolImpl.prototype, ['connect'])
    }

    override newClient(pending: PendingItem): void {
      const asker = this.#askers.get(pending)
      if (asker === undefined) super.newClient(pending)
      else asker.run(() => super.newClient(pending))
    }

    // Takes its place in the pool synchronously, as the driver does; only a real wait gets a deadline of its own.
    #connect(callback?: PendingItem['callback']): Promise<unknown> | undefined {
      if (this.#hasPlace()) return super.connect(callback)
      this.#governor.noticeInvocation()
      if (this.#hasPlace()) return super.connect(callback)
      if (callback !== undefined) return this.#connectWhenFree(callback)
      const { Promise: PromiseClass = Promise } = this
      return new PromiseClass((resolve, reject) => {
        this.#connectWhenFree((error, client) => (error === undefined ? resolve(client) : reject(error)))
      })
    }

    #hasPlace(): boolean {
      return this.ending || this._idle.length > 0 || !this._isFull()
    }

    #connectWhenFree(callback: PendingItem['callback']): undefined {
      const { clock, acquireLimitMs } = this.#governor
      const patience = new AbortController()
      const begun = new Moment(clock)
      void super.connect((error, client, release) => {
        patience.abort()
        this.#governor.observations.waited(begun, (client as GovernedClient | undefined)?.governed)
        callback(error, client, release)
      })
      const waiting = this._pendingQueue.at(-1)
      clock.sleep(acquireLimitMs, patience.signal).then(() => {
        if (waiting !== undefined) this.#giveUp(waiting)
        const busy = this.#governor.busyError(acquireLimitMs, this._clients.length, this.options.max)
        callback(busy, undefined, ignore)
      }, ignore)
      return undefined
    }

    /** As the driver does: it waits no longer, and a client that is on its way to it goes to the next. */
    #giveUp(waiting: PendingItem): void {
      waiting.timedOut = true
      const place = this._pendingQueue.indexOf(waiting)
      if (place >= 0) this._pendingQueue.splice(place, 1)
    }

    /** The driver's hand-over of one client to one request: the point where a dead client is replaced. */
    override _acquireClient(
      client: DriverClient,
      pending: PendingItem,
      idleListener: IdleListener,
      isNew: boolean,
    ): void {
      const { governed } = client as GovernedClient
      // An idle client that outlived `maxLifetimeSeconds` is taken only in order to be removed.
      if (isNew || governed === undefined || this._expired?.has(client) === true) {
        super._acquireClient(client, pending, idleListener, isNew)
        return
      }
      const governor = this.#governor
      const fitness = client._queryable ? governor.checkout(governed) : 'lapsed'
      if (fitness === 'ready') {
        governor.handedOver(governed)
        super._acquireClient(client, pending, idleListener, false)
        return
      }
      if (fitness === 'lapsed') {
        governor.observations.lapsed(governed)
        this.#replace(client, pending)
        return
      }
      // What goes wrong while it is asked is the answer, not an event for the application.
      client.removeListener('error', idleListener)
      void governor.alive(governed).then((alive) => {
        if (alive && client._queryable && !client._ending) {
          governor.handedOver(governed)
          super._acquireClient(client, pending, idleListener, false)
          return
        }
        governor.observations.lost(governed)
        this.#replace(client, pending)
      })
    }

    /** Drops a dead client and gives its place, within the same checkout, to another. */
    #replace(client: DriverClient, pending: PendingItem): void {
      this.#cut(client)
      if (this.ending) {
        if (pending.timedOut !== true) pending.callback(new Error(ENDED), undefined, ignore)
        return
      }
      this._pendingQueue.unshift(pending)
      this._pulseQueue()
    }

    #cut(client: DriverClient): void {
      this._remove(client, () => this._pulseQueue())
      // A polite goodbye would wait for ever on a black hole.
      client.connection.stream.destroy()
    }

    override _release(client: DriverClient, idleListener: IdleListener, error?: unknown): void {
      const { governed } = client as GovernedClient
      if (governed === undefined) {
        super._release(client, idleListener, error)
        return
      }
      const spoilt = this.#governor.endsAtCheckin(governed)
      // Taken out of the pool while it was in use: there is nothing to give back.
      if (spoilt && !this._clients.includes(client)) return
      const sound = error === undefined || error === null || error === false
      if (sound && !spoilt && client._queryable && !client._ending && !this.ending)
        this.#governor.checkin(governed)
      super._release(client, this.#quietListener(client, idleListener), sound && spoilt ? true : error)
    }

    override _remove(client: DriverClient, callback?: () => void): void {
      const { governed } = client as GovernedClient
      if (governed !== undefined) this.#governor.forget(governed)
      super._remove(client, callback)
    }

    /** Like the driver's, but a lapse is no news: nobody has to hear of it. One for the client's whole life. */
    #quietListener(client: DriverClient, original: IdleListener): IdleListener {
      const known = this.#quietListeners.get(client)
      if (known !== undefined) return known
      const listener: IdleListener = (error) => {
        const { governed } = client as GovernedClient
        if ((error as { code?: string }).code === '57P05' || governed?.lease.usable() === false) {
          if (governed !== undefined) this.#governor.observations.lapsed(governed)
          this._remove(client, () => this._pulseQueue())
          return
        }
        if (governed !== undefined) this.#governor.observations.lost(governed)
        client.removeListener('error', listener)
        original(error)
      }
      this.#quietListeners.set(client, listener)
      return listener
    }

    override end(callback?: () => void): Promise<void> {
      const reason = new Error(ENDED)
      const { observations } = this.#governor
      observations.ends()
      const result = super.end(callback && observations.afterFlush(callback))
      // The driver would leave them waiting for ever.
      for (const waiting of this._pendingQueue.splice(0)) waiting.callback(reason, undefined, ignore)
      for (const client of this._clients) {
        if (client._connecting || !client._connected) (client as GovernedClient).stopConnecting(reason)
      }
      if (callback !== undefined || !observations.recorder.isOn) return result
      return result.then(() => observations.flushLast())
    }
  }

  Object.defineProperty(GovernedPoolImpl, 'name', { value: 'GovernedPool' })
  return GovernedPoolImpl as unknown as GovernedPoolClass
}

function ignore(): void {}

function marked(client: unknown, callers: string): unknown {
  const governed = (client as GovernedClient | undefined)?.governed
  if (governed !== undefined) governed.takenAt = callers
  return client
}
