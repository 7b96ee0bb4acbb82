// One function's environments, and who calls it: callers in a closed loop, or arrivals that Lambda hands out.
import { type Arrivals, nextArrivalMs } from './arrivals.ts'
import { type ClientFactory, Environment } from './environment.ts'
import type { Measurement } from './measurement.ts'
import type { Server } from './server.ts'
import type { World } from './world.ts'

export type Load =
  /** Every environment has a caller, who sends the next request `thinkMs` (exponential) after the answer. */
  | { readonly kind: 'closed'; readonly thinkMs: number }
  /** Requests come by themselves. `warm` environments are there from the start. */
  | {
      readonly kind: 'open'
      readonly arrivals: Arrivals
      readonly dispatch: 'recent' | 'random'
      readonly warm: number
    }

export interface FleetPlan {
  /** Lambda keeps no more: reserved concurrency. */
  readonly environments: number
  readonly load: Load
  /** What one statement waits for, in milliseconds, beyond its CPU time. */
  readonly workMs: number
  /** The rest of an invocation, before its statement. @defaultValue 0 */
  readonly besideMs?: number
  readonly fromMs?: number
  readonly untilMs?: number
}

/** Lambda adds 1,000 environments in 10 s to a function. Source: Lambda's developer guide, scaling behaviour. */
const SCALE_COUNT = 1_000
const SCALE_MS = 10_000
/** Init of a small function. */
const COLD_START_MS = 250
/** An environment that has had nothing to do for so long is taken away, without a word to the server. */
const RECLAIM_AFTER_MS = 300_000

export class Fleet {
  readonly environments: Environment[] = []
  readonly #world: World
  readonly #server: Server
  readonly #plan: FleetPlan
  readonly #makeClient: ClientFactory
  readonly #measurement: Measurement
  readonly #untilMs: number
  readonly #free: Environment[] = []
  #liveCount = 0
  #tokens = SCALE_COUNT
  #tokensAtMs = 0

  constructor(
    world: World,
    server: Server,
    plan: FleetPlan,
    makeClient: ClientFactory,
    measurement: Measurement,
    endMs: number,
  ) {
    this.#world = world
    this.#server = server
    this.#plan = plan
    this.#makeClient = makeClient
    this.#measurement = measurement
    this.#untilMs = Math.min(plan.untilMs ?? endMs, endMs)
  }

  start(): void {
    const { load, environments, fromMs = 0 } = this.#plan
    this.#world.after(fromMs, () => {
      if (load.kind === 'closed') {
        for (let index = 0; index < environments; index += 1) this.#callAgain(this.#add(), load.thinkMs)
        return
      }
      for (let index = 0; index < load.warm; index += 1) this.#becomeFree(this.#add())
      this.#awaitNext(load.arrivals)
    })
  }

  #callAgain(environment: Environment, thinkMs: number): void {
    const delayMs = thinkMs === 0 ? 0 : this.#world.loadRandom.exponential(thinkMs)
    this.#world.after(delayMs, () => {
      if (this.#world.nowMs >= this.#untilMs) return
      this.#measurement.arrived()
      this.#invoke(environment, this.#world.nowMs, () => this.#callAgain(environment, thinkMs))
    })
  }

  #awaitNext(arrivals: Arrivals): void {
    const nextMs = nextArrivalMs(arrivals, this.#world.nowMs, this.#world.loadRandom)
    if (nextMs >= this.#untilMs) return
    this.#world.at(nextMs, () => {
      this.#measurement.arrived()
      this.#dispatch(nextMs)
      this.#awaitNext(arrivals)
    })
  }

  #dispatch(arrivedMs: number): void {
    const free = this.#takeFree()
    if (free !== undefined) {
      this.#invoke(free, arrivedMs, () => this.#becomeFree(free))
      return
    }
    if (this.#liveCount >= this.#plan.environments || !this.#takeToken()) {
      this.#measurement.throttled()
      return
    }
    const added = this.#add()
    this.#world.after(COLD_START_MS, () => this.#invoke(added, arrivedMs, () => this.#becomeFree(added)))
  }

  #takeFree(): Environment | undefined {
    const free = this.#free
    const { load } = this.#plan
    while (free.length > 0) {
      if (load.kind === 'open' && load.dispatch === 'random') {
        const last = free.length - 1
        const chosen = Math.floor(this.#world.loadRandom.next() * free.length)
        const swapped = free[last] as Environment
        free[last] = free[chosen] as Environment
        free[chosen] = swapped
      }
      const environment = free.pop() as Environment
      if (!environment.isGone) return environment
    }
    return undefined
  }

  #takeToken(): boolean {
    const { nowMs } = this.#world
    const gained = ((nowMs - this.#tokensAtMs) * SCALE_COUNT) / SCALE_MS
    this.#tokens = Math.min(SCALE_COUNT, this.#tokens + gained)
    this.#tokensAtMs = nowMs
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }

  #add(): Environment {
    const environment = new Environment(this.#world, this.#server, this.#makeClient)
    this.environments.push(environment)
    this.#liveCount += 1
    return environment
  }

  #invoke(environment: Environment, arrivedMs: number, free: () => void): void {
    const { workMs, besideMs = 0 } = this.#plan
    environment.invoke(
      { workMs, besideMs },
      (isAnswered) => {
        const latencyMs = this.#world.nowMs - arrivedMs
        this.#measurement.finished(isAnswered, latencyMs)
        if (!isAnswered) return
        environment.latencySumMs += latencyMs
        environment.answeredCount += 1
      },
      free,
    )
  }

  #becomeFree(environment: Environment): void {
    const { nowMs } = this.#world
    environment.freeSinceMs = nowMs
    this.#free.push(environment)
    this.#world.after(RECLAIM_AFTER_MS, () => {
      if (environment.freeSinceMs !== nowMs || environment.isGone || !this.#free.includes(environment)) return
      environment.isGone = true
      this.#liveCount -= 1
    })
  }
}
