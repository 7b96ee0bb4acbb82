// The database server: slots, sessions and their leases, and what everything costs its cores.
import type { Census, LeaseStep } from '@leasehold/core'

import { Cores } from './cores.ts'
import type { Costs, EngineName } from './costs.ts'
import { Session } from './session.ts'
import { WaitingLabels } from './waiting-labels.ts'
import { WaitingLocks } from './waiting-locks.ts'
import type { World } from './world.ts'

export interface ServerOptions {
  readonly engine: EngineName
  /** Open to the application: `max_connections` less what is reserved. */
  readonly slotCount: number
  readonly cores: number
  readonly costs: Costs
}

/** A session, or undefined where there was no slot. */
export type Connected = (session: Session | undefined) => void

export class Server {
  readonly engine: EngineName
  readonly slotCount: number
  readonly costs: Costs
  readonly cores: Cores
  readonly #world: World
  readonly #labels: WaitingLabels
  readonly #locks: WaitingLocks
  #usedCount = 0
  #mostUsedCount = 0
  #busyCount = 0
  connectedCount = 0
  refusedCount = 0
  lapsedCount = 0
  censusCount = 0

  constructor(world: World, options: ServerOptions) {
    this.#world = world
    this.#labels = new WaitingLabels(world)
    this.#locks = new WaitingLocks(world)
    this.engine = options.engine
    this.slotCount = options.slotCount
    this.costs = options.costs
    this.cores = new Cores(world, options.cores)
  }

  get usedCount(): number {
    return this.#usedCount
  }

  get mostUsedCount(): number {
    return this.#mostUsedCount
  }

  /** One attempt. The slot is taken once the server has begun with it, as a forked backend does. */
  connect(leaseMs: number, waitedMs: number, done: Connected): void {
    const { connectMs, refusedMs, roundTripMs } = this.costs
    this.#world.after(1.5 * roundTripMs, () => {
      this.cores.run(refusedMs, () => {
        if (this.#usedCount >= this.slotCount) {
          this.refusedCount += 1
          this.#world.after(roundTripMs / 2, () => done(undefined))
          return
        }
        this.#usedCount += 1
        this.#mostUsedCount = Math.max(this.#mostUsedCount, this.#usedCount)
        this.connectedCount += 1
        this.cores.run(Math.max(0, connectMs - refusedMs), () => {
          const session = new Session(this.connectedCount, this.#world.nowMs, leaseMs, waitedMs)
          this.#tellWait(session)
          this.#watchLease(session)
          this.#world.after(1.5 * roundTripMs, () => done(session))
        })
      })
    })
  }

  /** One statement that takes `cpuMs` and then `workMs` of waiting. Answers false where the session is gone. */
  execute(session: Session, cpuMs: number, workMs: number, done: (isAnswered: boolean) => void): void {
    const halfMs = this.costs.roundTripMs / 2
    this.#world.after(halfMs, () => {
      if (!session.open) {
        this.#world.after(halfMs, () => done(false))
        return
      }
      session.busy = true
      this.#busyCount += 1
      this.cores.run(cpuMs, () => {
        // A server's timers are a millisecond's.
        const waitMs = workMs === 0 ? 0 : workMs + this.#world.costRandom.next()
        this.#world.after(waitMs, () => {
          session.busy = false
          this.#busyCount -= 1
          session.idleSinceMs = this.#world.nowMs
          this.#watchLease(session)
          this.#world.after(halfMs, () => done(true))
        })
      })
    })
  }

  setLease(session: Session, leaseMs: number): void {
    session.leaseMs = leaseMs
    this.#watchLease(session)
  }

  /** The lease that the server's own count calls for, as the dialects have it choose. */
  leaseByCount(ladder: readonly LeaseStep[]): number {
    const pressure = this.#usedCount / this.slotCount
    const step = ladder.findLast(({ fromPressure }) => pressure >= fromPressure) ?? ladder[0]
    return (pressure >= 1 ? ladder.at(-1)?.leaseMs : step?.leaseMs) ?? Number.POSITIVE_INFINITY
  }

  census(fleet: string): Census {
    const isMysql = this.engine === 'mysql'
    return {
      usedCount: this.#usedCount,
      slotCount: this.slotCount,
      busyShare: this.#usedCount > 1 ? this.#busyCount / (this.#usedCount - 1) : undefined,
      labels: isMysql ? [] : this.#labels.labels(fleet),
      waitsMs: isMysql ? this.#locks.waitsMs() : [],
      refusedCount: isMysql ? this.refusedCount : undefined,
    }
  }

  get censusMs(): number {
    return this.costs.censusMs + this.costs.censusPerSessionMs * this.#usedCount
  }

  #tellWait(session: Session): void {
    if (this.engine === 'mysql') this.#locks.add(session)
    else this.#labels.add(session)
  }

  /** The client closes it: the slot is free once the server has dealt with it. */
  close(session: Session): void {
    this.#world.after(this.costs.roundTripMs / 2, () => this.#end(session))
  }

  #end(session: Session): void {
    if (!session.open) return
    session.open = false
    this.#labels.remove(session)
    this.#locks.remove(session)
    this.cores.run(this.costs.endMs, () => {
      this.#usedCount -= 1
    })
  }

  /** Looks again when the lease would be over, at most one look outstanding unless the lease gets shorter. */
  #watchLease(session: Session): void {
    const endMs = session.idleSinceMs + session.leaseMs
    if (endMs >= session.lookAtMs || endMs === Number.POSITIVE_INFINITY) return
    session.lookAtMs = endMs
    this.#world.at(endMs, () => {
      if (!session.open || session.lookAtMs !== endMs) return
      session.lookAtMs = Number.POSITIVE_INFINITY
      if (session.busy) return
      if (session.idleSinceMs + session.leaseMs > this.#world.nowMs) {
        this.#watchLease(session)
        return
      }
      this.lapsedCount += 1
      this.#end(session)
      this.#world.after(this.costs.roundTripMs / 2, () => session.onLapse?.())
    })
  }
}
