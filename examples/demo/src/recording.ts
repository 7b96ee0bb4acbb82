// Everything one run leaves behind. All times are milliseconds since the first request of the burst.
import type { Engine } from '@leasehold/test-databases'

import type { PhaseName, Variant } from './scenario.ts'

export interface PhaseSpan {
  readonly name: PhaseName
  readonly startMs: number
  /** After the last answer, so later than the load's own end; `undefined` while the phase is on. */
  readonly endMs: number | undefined
}

export interface SessionSample {
  readonly atMs: number
  readonly sessionCount: number
}

export interface InvocationRecord {
  readonly phase: PhaseName
  readonly environmentId: string
  readonly startMs: number
  /** As its caller sees it: from the request to the response, a cold start included. */
  readonly latencyMs: number
  /** Absent if the function answered. */
  readonly failure?: string | undefined
}

/** What names a run, known before it begins. */
export interface RunIdentity {
  readonly engine: Engine
  /** For people: `PostgreSQL 18.4`. */
  readonly serverName: string
  readonly variant: Variant
  /** How many sessions the function's login can open together. */
  readonly slots: number
}

export interface Recording extends RunIdentity {
  readonly phases: readonly PhaseSpan[]
  readonly samples: readonly SessionSample[]
  readonly invocations: readonly InvocationRecord[]
}

/** The recording while it grows. */
export class Recorder implements Recording {
  readonly engine: Engine
  readonly serverName: string
  readonly variant: Variant
  readonly slots: number
  readonly phases: PhaseSpan[] = []
  readonly samples: SessionSample[] = []
  readonly invocations: InvocationRecord[] = []
  readonly #now: () => number
  #originMs: number | undefined

  /** `now` is a monotonic clock in milliseconds. */
  constructor(identity: RunIdentity, now: () => number) {
    this.engine = identity.engine
    this.serverName = identity.serverName
    this.variant = identity.variant
    this.slots = identity.slots
    this.#now = now
  }

  /** Since the first phase began; 0 before. */
  elapsedMs(): number {
    return this.#originMs === undefined ? 0 : this.#now() - this.#originMs
  }

  /** Ends the phase that is on and begins another; the first call starts the clock. */
  beginPhase(name: PhaseName): void {
    this.#originMs ??= this.#now()
    this.endPhase()
    this.phases.push({ name, startMs: this.elapsedMs(), endMs: undefined })
  }

  endPhase(): void {
    const last = this.phases.at(-1)
    if (last === undefined || last.endMs !== undefined) return
    this.phases[this.phases.length - 1] = { ...last, endMs: this.elapsedMs() }
  }

  addSample(sessionCount: number): void {
    this.samples.push({ atMs: this.elapsedMs(), sessionCount })
  }

  addInvocation(invocation: InvocationRecord): void {
    this.invocations.push(invocation)
  }
}
