// What happens next: a binary heap on typed arrays. Events of the same instant run in the order they were put in.

export type Work = () => void

const INITIAL_CAPACITY = 1_024

export class EventQueue {
  #dueMs = new Float64Array(INITIAL_CAPACITY)
  #order = new Float64Array(INITIAL_CAPACITY)
  #place = new Int32Array(INITIAL_CAPACITY)
  #work: (Work | undefined)[] = []
  #freePlaces: number[] = []
  #size = 0
  #pushed = 0

  get size(): number {
    return this.#size
  }

  /** When the next event is due; infinity when there is none. */
  get nextMs(): number {
    return this.#size === 0 ? Number.POSITIVE_INFINITY : (this.#dueMs[0] ?? 0)
  }

  push(dueMs: number, work: Work): void {
    if (this.#size === this.#dueMs.length) this.#grow()
    const place = this.#freePlaces.pop() ?? this.#work.length
    this.#work[place] = work
    this.#rise(this.#size, dueMs, this.#pushed, place)
    this.#size += 1
    this.#pushed += 1
  }

  /** Takes the next event out. */
  pop(): Work | undefined {
    if (this.#size === 0) return undefined
    const place = this.#place[0] as number
    const work = this.#work[place]
    this.#work[place] = undefined
    this.#freePlaces.push(place)
    this.#size -= 1
    const last = this.#size
    if (last > 0)
      this.#sink(this.#dueMs[last] as number, this.#order[last] as number, this.#place[last] as number)
    return work
  }

  #rise(from: number, dueMs: number, order: number, place: number): void {
    const due = this.#dueMs
    let at = from
    while (at > 0) {
      const parent = (at - 1) >> 1
      // Later pushed, so of equals the parent stays before.
      if ((due[parent] as number) <= dueMs) break
      this.#copy(parent, at)
      at = parent
    }
    this.#set(at, dueMs, order, place)
  }

  #sink(dueMs: number, order: number, place: number): void {
    const due = this.#dueMs
    const size = this.#size
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= size) break
      if (child + 1 < size && this.#isBefore(child + 1, due[child] as number, this.#order[child] as number))
        child += 1
      if (!this.#isBefore(child, dueMs, order)) break
      this.#copy(child, at)
      at = child
    }
    this.#set(at, dueMs, order, place)
  }

  #isBefore(at: number, dueMs: number, order: number): boolean {
    const due = this.#dueMs[at] as number
    return due < dueMs || (due === dueMs && (this.#order[at] as number) < order)
  }

  #copy(from: number, to: number): void {
    this.#set(to, this.#dueMs[from] as number, this.#order[from] as number, this.#place[from] as number)
  }

  #set(at: number, dueMs: number, order: number, place: number): void {
    this.#dueMs[at] = dueMs
    this.#order[at] = order
    this.#place[at] = place
  }

  #grow(): void {
    const dueMs = new Float64Array(2 * this.#dueMs.length)
    dueMs.set(this.#dueMs)
    const order = new Float64Array(2 * this.#order.length)
    order.set(this.#order)
    const place = new Int32Array(2 * this.#place.length)
    place.set(this.#place)
    this.#dueMs = dueMs
    this.#order = order
    this.#place = place
  }
}
