/** The pool's own metrics by OpenTelemetry's semantic conventions, through a meter that the application passes in. */

import type { Clock } from './clock.ts'
import type { GovernedConnection } from './connection.ts'
import type { Place } from './place.ts'
import { unawaited } from './unawaited.ts'

type Attributes = Record<string, string>

interface Measures {
  record(value: number, attributes: Attributes): void
}

interface Counts {
  add(value: number, attributes: Attributes): void
}

interface Observation {
  observe(value: number, attributes: Attributes): void
}

type Observer = (result: Observation) => void

interface Observed {
  addCallback(callback: Observer): void
  removeCallback?(callback: Observer): void
}

interface Described {
  readonly unit: string
  readonly description: string
}

/** As much of OpenTelemetry's `Meter` as is used. Source: `@opentelemetry/api`. */
export interface Meter {
  createHistogram(name: string, options: Described): Measures
  createCounter(name: string, options: Described): Counts
  createObservableUpDownCounter(name: string, options: Described): Observed
}

export function isMeter(value: unknown): value is Meter {
  if (typeof value !== 'object' || value === null) return false
  const members: readonly (keyof Meter)[] = [
    'createHistogram',
    'createCounter',
    'createObservableUpDownCounter',
  ]
  return members.every((name) => typeof (value as Partial<Meter>)[name] === 'function')
}

/** What only the driver's pool knows. */
export interface PoolFacts {
  /** How many connections it may have. 0 is no limit. */
  maxCount(): number
  /** How many requests wait for one of them. */
  waitingCount(): number
}

export interface MeterParts {
  readonly meter: Meter
  readonly clock: Clock
  readonly connections: ReadonlySet<GovernedConnection>
  readonly place: Place
}

const POOL = 'db.client.connection.pool.name'
const STATE = 'db.client.connection.state'

/**
 * Source: OpenTelemetry's semantic conventions for database client metrics. Times are in seconds there.
 * `idle.min` and `idle.max` are left out: a governed pool has no such limits.
 */
export class PoolMeter {
  readonly #parts: MeterParts
  readonly #taken = new WeakMap<GovernedConnection, number>()
  /** How long the application waited for what it has now; nothing where it was ready. */
  readonly #waited = new WeakMap<GovernedConnection, number>()
  /** Take the callbacks off again. */
  readonly #removals: (() => void)[] = []
  #isEnding = false
  readonly #create: Measures
  readonly #wait: Measures
  readonly #use: Measures
  readonly #timeouts: Counts
  /** Undefined where the connections live in no pool. */
  facts: PoolFacts | undefined

  constructor(parts: MeterParts) {
    this.#parts = parts
    const { meter } = parts
    const name = (what: string): string => `db.client.connection.${what}`
    const seconds = (what: string, description: string): Measures =>
      meter.createHistogram(name(what), { unit: 's', description })
    this.#create = seconds('create_time', 'The time it took to create a new connection.')
    this.#wait = seconds('wait_time', 'The time it took to obtain an open connection from the pool.')
    this.#use = seconds('use_time', 'The time between borrowing a connection and returning it to the pool.')
    this.#timeouts = meter.createCounter(name('timeouts'), {
      unit: '{timeout}',
      description: 'The number of times that no connection was obtained within the time limit.',
    })
    const observed = (what: string, unit: string, description: string, observe: Observer): void => {
      const counter = meter.createObservableUpDownCounter(name(what), { unit, description })
      counter.addCallback(observe)
      this.#removals.push(() => counter.removeCallback?.(observe))
    }
    observed(
      'count',
      '{connection}',
      'The number of connections that are currently in the state of the attribute.',
      (result) => this.#observeCounts(result),
    )
    observed('max', '{connection}', 'The maximum number of open connections allowed.', (result) => {
      const maxCount = this.facts?.maxCount() ?? 0
      if (maxCount > 0) this.#observe(result, maxCount)
    })
    observed(
      'pending_requests',
      '{request}',
      'The number of requests that wait for an open connection.',
      (result) => {
        if (this.facts !== undefined) this.#observe(result, this.facts.waitingCount())
      },
    )
  }

  /** The pool ends: the meter, which outlives it, asks no more once its last connection has left. */
  end(): void {
    this.#isEnding = true
    this.#letGo()
  }

  /** A connection has left the pool. */
  closed(governed: GovernedConnection): void {
    this.givenBack(governed)
    this.#letGo()
  }

  #letGo(): void {
    if (!this.#isEnding || this.#parts.connections.size > 0) return
    for (const remove of this.#removals.splice(0)) unawaited(remove)
  }

  /** A connection was opened, and is in use now. */
  opened(governed: GovernedConnection, durationMs: number): void {
    this.#record(this.#create, durationMs)
    this.waited(governed, durationMs)
    this.taken(governed)
  }

  /** Whoever gets it has waited for it: until it was open, or for a ping. */
  waited(governed: GovernedConnection, durationMs: number): void {
    this.#waited.set(governed, (this.#waited.get(governed) ?? 0) + durationMs)
  }

  /** Whoever gets it has waited so long for a busy pool, with all that came in that time. */
  waitedInAll(governed: GovernedConnection, durationMs: number): void {
    this.#waited.set(governed, durationMs)
  }

  /** The application has it. */
  taken(governed: GovernedConnection): void {
    this.#taken.set(governed, this.#parts.clock.monotonicMs())
  }

  /** The application has it no longer. By then it is known how long it was waited for. */
  givenBack(governed: GovernedConnection): void {
    const takenMs = this.#taken.get(governed)
    if (takenMs === undefined) return
    const waitedMs = this.#waited.get(governed) ?? 0
    this.#taken.delete(governed)
    this.#waited.delete(governed)
    this.#record(this.#wait, waitedMs)
    this.#record(this.#use, this.#parts.clock.monotonicMs() - takenMs)
  }

  timedOut(): void {
    unawaited(() => this.#timeouts.add(1, this.#attributes()))
  }

  /** A meter that fails costs its metrics; the connection is given back all the same. */
  #record(measures: Measures, durationMs: number): void {
    unawaited(() => measures.record(durationMs / 1_000, this.#attributes()))
  }

  #observeCounts(result: Observation): void {
    let usedCount = 0
    for (const { checkedOut } of this.#parts.connections) if (checkedOut) usedCount += 1
    this.#observe(result, usedCount, { [STATE]: 'used' })
    this.#observe(result, this.#parts.connections.size - usedCount, { [STATE]: 'idle' })
  }

  #observe(result: Observation, value: number, more: Attributes = {}): void {
    if (this.#parts.place.poolName !== undefined) result.observe(value, { ...this.#attributes(), ...more })
  }

  #attributes(): Attributes {
    return { [POOL]: this.#parts.place.poolName ?? 'unknown' }
  }
}
