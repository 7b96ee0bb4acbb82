// The server's processors: jobs take turns in the order they come, on whichever core is free first.
import type { Work } from './event-queue.ts'
import type { SeededRandom } from './random.ts'
import type { World } from './world.ts'

/** What a process gets at once where others wait. Source: sched(7), `base_slice_ns`, 3 ms on two to four cores. */
const SLICE_MS = 3

const TURN_MS = 1

export class Cores {
  readonly #world: World
  readonly #freeAtMs: Float64Array
  #busyMs = 0

  constructor(world: World, count: number) {
    this.#world = world
    this.#freeAtMs = new Float64Array(count)
  }

  /** CPU time given out so far, in milliseconds; it may still lie ahead. */
  get busyMs(): number {
    return this.#busyMs
  }

  /** Other processes' jobs, which take `cores` of the time: they come at random, in slices, and count as nobody's. */
  share(cores: number, random: SeededRandom, endMs: number): void {
    if (cores <= 0) return
    this.#world.after(random.exponential(SLICE_MS / cores), () => {
      this.run(SLICE_MS, () => {})
      this.#busyMs -= SLICE_MS
      if (this.#world.nowMs < endMs) this.share(cores, random, endMs)
    })
  }

  run(cpuMs: number, done: Work): void {
    if (cpuMs === 0) {
      done()
      return
    }
    // No two jobs take the same time: without this, requests of equal length go about in trains for ever.
    this.#takeTurns(cpuMs * (0.5 + this.#world.costRandom.next()), done)
  }

  /** A long job makes room for short ones after each turn, as a scheduler has it. */
  #takeTurns(leftMs: number, done: Work): void {
    const turnMs = Math.min(leftMs, TURN_MS)
    const free = this.#freeAtMs
    let first = 0
    for (let core = 1; core < free.length; core += 1) {
      if ((free[core] as number) < (free[first] as number)) first = core
    }
    const endMs = Math.max(this.#world.nowMs, free[first] as number) + turnMs
    free[first] = endMs
    this.#busyMs += turnMs
    this.#world.at(endMs, turnMs === leftMs ? done : () => this.#takeTurns(leftMs - turnMs, done))
  }
}
