// MySQL's and MariaDB's way of telling waits: a named lock for each length, by half a doubling, and each two seconds. One session
// holds it for as long as it lives; to others who waited as long, it is taken.
import type { Session } from './session.ts'
import type { World } from './world.ts'

/** As the adapter tells them apart. */
const SHORTEST_MS = 50
const LENGTHS = 15
const LENGTHS_A_DOUBLING = 2
const STEP_MS = 2_000

export class WaitingLocks {
  readonly #world: World
  /** Holders by length and time. */
  readonly #holders = new Map<string, Session>()
  readonly #held = new Map<Session, string>()

  constructor(world: World) {
    this.#world = world
  }

  add(session: Session): void {
    if (session.waitedMs < SHORTEST_MS) return
    const length = Math.min(
      Math.round(LENGTHS_A_DOUBLING * Math.log2(session.waitedMs / SHORTEST_MS)),
      LENGTHS - 1,
    )
    const name = `${length}:${this.#step()}`
    if (this.#holders.has(name)) return
    this.#holders.set(name, session)
    this.#held.set(session, name)
  }

  remove(session: Session): void {
    const name = this.#held.get(session)
    if (name === undefined) return
    this.#held.delete(session)
    this.#holders.delete(name)
  }

  /** The lengths told in this step of time and in the one before. */
  waitsMs(): readonly number[] {
    const step = this.#step()
    const lengths = Array.from({ length: LENGTHS }, (_, length) => length)
    const told = lengths.filter((length) =>
      [step, step - 1].some((time) => this.#holders.has(`${length}:${time}`)),
    )
    return told.map((length) => SHORTEST_MS * 2 ** (length / LENGTHS_A_DOUBLING))
  }

  #step(): number {
    return Math.floor(this.#world.epochMs / STEP_MS)
  }
}
