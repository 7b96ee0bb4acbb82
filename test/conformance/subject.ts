// What a conformance case sees of an engine: a server to misuse, and governed pools on it.
import type {
  FleetView,
  InvocationContext,
  LeaseholdOptions,
  Stats,
  TransactionOptions,
} from '@leasehold/core'

/** Questions every engine can answer; each is one statement. */
export interface Asker {
  /** Sends `value` bound, not spliced, and resolves to what came back. */
  echo(value: string): Promise<string>
  /** The server's own id of the session that answered. */
  sessionId(): Promise<number>
  /** The lease the server holds for the session that answered, in milliseconds. */
  leaseMs(): Promise<number>
}

/** What may be said of one statement. */
export interface Sending {
  readonly idempotent?: boolean
  readonly signal?: AbortSignal
  readonly queryTimeoutMs?: number
}

/** Statements that take their time, or leave something behind. */
export interface Writer {
  /** Inserts one row into the suite's table. */
  write(id: number, sending?: Sending): Promise<void>
  /** Keeps the server busy. */
  busy(durationMs: number, sending?: Sending): Promise<void>
}

export interface HeldConnection extends Asker, Writer {
  begin(): Promise<void>
  release(): void
}

/** What a function inside a transaction is given. */
export interface Inside extends Asker, Writer {
  /** A transaction inside. */
  nested(work: () => Promise<void>): Promise<void>
}

export interface TestPool extends Asker, Writer {
  connect(): Promise<HeldConnection>
  transaction<T>(work: (inside: Inside) => Promise<T>, options?: TransactionOptions): Promise<T>
  enter(context: InvocationContext): void
  end(): Promise<void>
  stats(): Readonly<Stats>
  census(): Promise<FleetView | undefined>
  /** Idle connections are closed. */
  drain(): void
}

/** A pool in an environment that is frozen whenever it has answered. */
export interface FrozenPool extends Asker {
  stats(): Promise<Readonly<Stats>>
  dispose(): Promise<void>
}

export interface PoolSettings extends LeaseholdOptions {
  readonly max?: number
  readonly password?: string
  /** Through the relay instead of straight to the server. */
  readonly relayed?: boolean
}

/** The network between pool and server. */
export interface Network {
  delayMs: number
  blackhole(): void
  resume(): void
  reset(): void
  /** On the connections open now: the server's next answer is lost, its work done. */
  dropReplies(): void
}

/** An error the real server or driver raised, and the kind that core must see in it. */
export interface Specimen {
  readonly name: string
  readonly kind: string
  raise(): Promise<unknown>
}

export interface Subject {
  readonly name: string
  /** Sessions that ordinary logins can open together. */
  readonly slots: number
  /** What a census finds used beyond ordinary sessions, in the limit alike. */
  readonly overhead: number
  readonly leaseGranularityMs: number
  /** The code of the refusal when no slot is free. */
  readonly saturatedCodes: readonly string[]
  openPool(settings?: PoolSettings): TestPool
  openFrozenPool(settings?: PoolSettings): Promise<FrozenPool>
  readonly network: Network
  /** Ids of all ordinary sessions, governed or not. */
  sessions(): Promise<readonly number[]>
  terminate(id: number): Promise<void>
  restart(): Promise<void>
  /** Takes every free slot with sessions that nobody governs; the result gives `count` of them back. */
  fill(): Promise<(count: number) => Promise<void>>
  /** The ids in the suite's table, in order, as often as they are there. */
  written(): Promise<readonly number[]>
  /** Makes the server refuse writes, for the one session of `connection` or for all, and tries to write. */
  writeToReadOnly(connection: HeldConnection): Promise<unknown>
  specimens(): readonly Specimen[]
  classify(error: unknown): string
  /** Between cases: no session left, network in order. */
  reset(): Promise<void>
  dispose(): Promise<void>
}

const POLL_MS = 20

/** Polls until `condition` holds; fails at the deadline saying what did not come true. */
export async function eventually(
  what: string,
  condition: () => Promise<boolean> | boolean,
  limitMs = 10_000,
): Promise<number> {
  const startMs = performance.now()
  for (;;) {
    if (await condition()) return performance.now() - startMs
    if (performance.now() - startMs > limitMs) throw new Error(`not within ${limitMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

export function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs))
}
