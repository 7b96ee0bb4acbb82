// Keeps what became of each request, as plainly as can be: reading comes when the run is over.

export interface Recorded {
  /** Which load of the scenario sent it. */
  readonly load: number
  /** Among all environments of the run. */
  readonly environment: number
  readonly sentMs: number
  readonly latencyMs: number
  readonly failure: string | undefined
}

export class Recorder {
  readonly all: Recorded[] = []
  /** Throttled ones by load. */
  readonly throttled: Map<number, number> = new Map()
  readonly #startMs: number = performance.now()

  get elapsedMs(): number {
    return performance.now() - this.#startMs
  }

  add(recorded: Recorded): void {
    this.all.push(recorded)
  }

  addThrottled(load: number): void {
    this.throttled.set(load, (this.throttled.get(load) ?? 0) + 1)
  }
}
