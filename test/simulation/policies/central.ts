// Two ideals with one central queue: a proxy that multiplexes statements, and hand-over by somebody who knows everything.
import type { Client, Environment } from '../environment.ts'
import type { Server } from '../server.ts'
import type { Session } from '../session.ts'
import type { World } from '../world.ts'

type Turn = () => void

/** As RDS Proxy and PgBouncer do it: sessions stay open, a statement takes one for as long as it runs. */
export class Proxy {
  readonly #server: Server
  readonly #sessions: Session[] = []
  readonly #queue: Turn[] = []
  #head = 0
  #opened = 0

  constructor(server: Server) {
    this.#server = server
  }

  client(): Client {
    return { request: (workMs, done) => this.#take((session) => this.#run(session, workMs, done)) }
  }

  #run(session: Session, workMs: number, done: (isAnswered: boolean) => void): void {
    this.#server.execute(session, this.#server.costs.statementMs, workMs, (isAnswered) => {
      done(isAnswered)
      this.#sessions.push(session)
      this.#serve()
    })
  }

  #take(use: (session: Session) => void): void {
    this.#queue.push(() => use(this.#sessions.pop() as Session))
    if (this.#sessions.length === 0 && this.#opened < this.#server.slotCount) {
      this.#opened += 1
      this.#server.connect(Number.POSITIVE_INFINITY, 0, (session) => {
        if (session !== undefined) this.#sessions.push(session)
        this.#serve()
      })
      return
    }
    this.#serve()
  }

  #serve(): void {
    while (this.#sessions.length > 0 && this.#head < this.#queue.length) {
      const turn = this.#queue[this.#head] as Turn
      this.#head += 1
      turn()
    }
    if (this.#head === this.#queue.length) {
      this.#queue.length = 0
      this.#head = 0
    }
  }
}

interface Holder {
  readonly environment: Environment
  session: Session | undefined
  heldSinceMs: number
  isIdle: boolean
  idleSinceMs: number
}

/** How often an idle holder's quantum is looked at while somebody waits. */
const LOOK_MS = 5

/**
 * Connections stay in the environments, as with the product, but one queue knows who waits and who holds: first
 * come, first served, from whoever has held for a quantum and is idle; frozen or not. The bound of any policy
 * that hands connections over.
 */
export class Oracle {
  readonly #world: World
  readonly #server: Server
  readonly #quantumMs: number
  readonly #holders = new Set<Holder>()
  readonly #queue: Turn[] = []
  #head = 0
  #slotsTaken = 0
  #isLooking = false

  constructor(world: World, server: Server, quantumMs: number) {
    this.#world = world
    this.#server = server
    this.#quantumMs = quantumMs
  }

  client(environment: Environment): Client {
    const holder: Holder = { environment, session: undefined, heldSinceMs: 0, isIdle: false, idleSinceMs: 0 }
    return {
      request: (workMs, done) => {
        if (holder.session !== undefined) {
          this.#run(holder, holder.session, workMs, done)
          return
        }
        this.#queue.push(() => {
          this.#slotsTaken += 1
          this.#connect(holder, workMs, done)
        })
        this.#serve()
      },
    }
  }

  #connect(holder: Holder, workMs: number, done: (isAnswered: boolean) => void): void {
    holder.environment.connect(Number.POSITIVE_INFINITY, 0, (session) => {
      if (session === undefined) {
        // The server is still at the end of the one before: its place is kept.
        this.#world.after(1, () => this.#connect(holder, workMs, done))
        return
      }
      holder.session = session
      holder.heldSinceMs = this.#world.nowMs
      this.#holders.add(holder)
      this.#run(holder, session, workMs, done)
    })
  }

  #run(holder: Holder, session: Session, workMs: number, done: (isAnswered: boolean) => void): void {
    holder.isIdle = false
    this.#server.execute(session, this.#server.costs.statementMs, workMs, (isAnswered) => {
      holder.isIdle = true
      holder.idleSinceMs = this.#world.nowMs
      done(isAnswered)
      this.#serve()
    })
  }

  #serve(): void {
    while (this.#head < this.#queue.length) {
      if (this.#slotsTaken >= this.#server.slotCount && !this.#takeOne()) {
        this.#lookLater()
        return
      }
      const turn = this.#queue[this.#head] as Turn
      this.#head += 1
      turn()
    }
    this.#queue.length = 0
    this.#head = 0
  }

  /** Ends the session of the holder that has been idle longest, among those who have had their quantum. */
  #takeOne(): boolean {
    const { nowMs } = this.#world
    let longest: Holder | undefined
    for (const holder of this.#holders) {
      if (!holder.isIdle || nowMs - holder.heldSinceMs < this.#quantumMs) continue
      if (longest === undefined || holder.idleSinceMs < longest.idleSinceMs) longest = holder
    }
    if (longest?.session === undefined) return false
    this.#server.close(longest.session)
    longest.session = undefined
    this.#holders.delete(longest)
    this.#slotsTaken -= 1
    return true
  }

  #lookLater(): void {
    if (this.#isLooking) return
    this.#isLooking = true
    this.#world.after(LOOK_MS, () => {
      this.#isLooking = false
      this.#serve()
    })
  }
}
