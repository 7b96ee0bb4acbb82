// The labels that a census would show. A census reads thousands; the policy asks but for the mean wait of the
// latest, so they are kept as a running sum, and told as one label that says the same.
import { formatLabel } from '@leasehold/core'

import type { Session } from './session.ts'
import type { World } from './world.ts'

/** As long as the core takes a label for evidence, whole seconds in the label included. */
const WINDOW_MS = 3_000
/** No wait counts for more in the core. */
const MAX_WAIT_MS = 10_000

export class WaitingLabels {
  readonly #world: World
  #entries: (Session | undefined)[] = []
  #head = 0
  #sumMs = 0
  #count = 0
  #newestMs = 0

  constructor(world: World) {
    this.#world = world
  }

  add(session: Session): void {
    if (session.waitedMs <= 0) return
    session.isEvidence = true
    this.#entries.push(session)
    this.#sumMs += Math.min(session.waitedMs, MAX_WAIT_MS)
    this.#count += 1
    this.#newestMs = session.openedMs
  }

  remove(session: Session): void {
    if (!session.isEvidence) return
    session.isEvidence = false
    this.#sumMs -= Math.min(session.waitedMs, MAX_WAIT_MS)
    this.#count -= 1
  }

  /** No label, or one that waited as long as all of them on average. */
  labels(fleet: string): readonly string[] {
    this.#forgetOld()
    if (this.#count === 0) return []
    const openedEpochMs = this.#world.epochMs - this.#world.nowMs + this.#newestMs
    return [formatLabel({ fleet, name: 'simulated', waitedMs: this.#sumMs / this.#count, openedEpochMs })]
  }

  #forgetOld(): void {
    const { nowMs, epochMs } = this.#world
    for (;;) {
      const first = this.#entries[this.#head]
      if (first === undefined) break
      const openedEpochMs = epochMs - nowMs + first.openedMs
      if (first.isEvidence && epochMs - Math.floor(openedEpochMs / 1_000) * 1_000 < WINDOW_MS) break
      this.remove(first)
      this.#entries[this.#head] = undefined
      this.#head += 1
    }
    if (this.#head > 1_024) {
      this.#entries = this.#entries.slice(this.#head)
      this.#head = 0
    }
  }
}
