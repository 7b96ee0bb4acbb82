// One Lambda environment: one request at a time, frozen in between; what arrives meanwhile is read at the thaw.
import { EnvironmentClock } from './environment-clock.ts'
import type { Connected, Server } from './server.ts'
import type { World } from './world.ts'

/** Uses the database on behalf of one environment's requests. */
export interface Client {
  /** One statement whose work takes `workMs`. Calls back once; false where the request failed. */
  request(workMs: number, done: (isAnswered: boolean) => void): void
  /** Another invocation has begun. */
  began?(invocation: number): void
}

/** What an invocation does. */
export interface Invocation {
  /** What its one statement waits for beyond its CPU time. */
  readonly workMs: number
  /** Passes before the statement, without the database. */
  readonly besideMs: number
}

/** Of what an environment's first request costs it more, the share that does not lengthen its first connect. */
const COLD_OUTSIDE = 0.5

/** Makes the client of an environment. */
export type ClientFactory = (environment: Environment) => Client

export class Environment {
  readonly clock: EnvironmentClock
  readonly world: World
  readonly server: Server
  readonly #client: Client
  #inbox: (() => void)[] = []
  #isFrozen = true
  #isCold = true
  #invocations = 0
  isGone = false
  freeSinceMs = 0
  latencySumMs = 0
  answeredCount = 0

  constructor(world: World, server: Server, makeClient: ClientFactory) {
    this.world = world
    this.server = server
    this.clock = new EnvironmentClock(world)
    this.clock.freeze()
    this.#client = makeClient(this)
  }

  /**
   * One invocation.
   *
   * @param answered called at the response
   * @param frozen called when it may be given another
   */
  invoke(
    { workMs, besideMs }: Invocation,
    answered: (isAnswered: boolean) => void,
    frozen: () => void,
  ): void {
    const { costs, cores } = this.server
    this.#thaw()
    this.#invocations += 1
    this.world.after(costs.overheadMs + besideMs, () => {
      cores.run(costs.invokeMs / 2 + (this.#invocations === 1 ? COLD_OUTSIDE * costs.firstMs : 0), () => {
        this.#client.began?.(this.#invocations)
        this.#client.request(workMs, (isAnswered) => {
          cores.run(costs.invokeMs / 2, () => {
            answered(isAnswered)
            this.world.after(costs.freezeMs, () => {
              this.#freeze()
              frozen()
            })
          })
        })
      })
    })
  }

  /** One attempt to connect. The first one runs code that is still cold, and its caller sees it take longer. */
  connect(leaseMs: number, waitedMs: number, done: Connected): void {
    const coldMs = this.#isCold ? (1 - COLD_OUTSIDE) * this.server.costs.firstMs : 0
    this.#isCold = false
    this.server.cores.run(coldMs, () => this.server.connect(leaseMs, waitedMs, done))
  }

  /** Something from outside: read now, or at the thaw. Whoever is taken away reads nothing. */
  deliver(work: () => void): void {
    if (this.isGone) return
    if (this.#isFrozen) this.#inbox.push(work)
    else work()
  }

  #thaw(): void {
    this.#isFrozen = false
    // As in the runtime: timers that are due run before sockets are read.
    this.clock.thaw()
    const inbox = this.#inbox
    if (inbox.length === 0) return
    this.#inbox = []
    for (const work of inbox) work()
    this.world.promised()
  }

  #freeze(): void {
    this.#isFrozen = true
    this.clock.freeze()
  }
}
