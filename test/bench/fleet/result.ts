// The file of raw figures that a run of the benchmark writes, and that tables and charts are made of.

export type EngineName = 'postgresql' | 'mariadb' | 'mysql'

export const SUBJECTS = [
  'leasehold',
  'leasehold-enter',
  'pgbouncer',
  'bare',
  'per-invocation',
  'serverless-postgres',
  'serverless-mysql',
] as const

export type SubjectName = (typeof SUBJECTS)[number]

export interface BenchFile {
  readonly machine: {
    readonly cores: number
    readonly memoryBytes: number
    readonly node: string
    readonly kernel: string
    readonly cpuModel: string
  }
  /** Of the servers and packages, by name: `PostgreSQL`, `pg`, `PgBouncer` … */
  readonly versions: Readonly<Record<string, string>>
  /** ISO 8601. */
  readonly startedAt: string
  /** As it was typed. */
  readonly command: string
  readonly runs: readonly FleetRun[]
}

/** One subject in one scenario on one engine, once. */
export interface FleetRun {
  readonly scenario: string
  readonly engine: EngineName
  readonly subject: SubjectName
  /** From 1; runs of the same scenario, engine and round stand beside each other in time. */
  readonly round: number
  /** The environments' runtime client: AWS's own, or the emulator's where that does not load. */
  readonly runtime: 'aws' | 'stand-in'
  /** Open-loop load only: what was sent, whether or not it was carried. */
  readonly offered?: Offered
  /** While requests were sent. Answers may come later. */
  readonly durationMs: number
  /** All of the run's requests; `answered + failed + throttled` is how many were sent. */
  readonly requests: Requests
  /** Answers a second, until the load's end. */
  readonly ratePerS: number
  /** Of answers, in milliseconds from when the request was due to the response. Failures and throttled ones have none. */
  readonly latencyMs: Latency
  readonly environments: Environments
  /** As the server counts them, those of the logins under test alone. */
  readonly sessions: Sessions
  /** Answers a second, in each 250 ms from the start on; goes on until the last answer. */
  readonly answeredPerS: readonly number[]
  readonly latencyOverTime: readonly { readonly atMs: number; readonly p50: number; readonly p99: number }[]
  /** Sessions that the server opened for the subject, by its own counter. PgBouncer's own, for PgBouncer. */
  readonly connects: number
  readonly connectsPerAnswer: number
  /** Connects that the server refused because it was full, by its own counter or log. */
  readonly refused: number
  /** Of all the server's processes, ended ones included. */
  readonly serverCpuMs: number
  readonly poolerCpuMs?: number
  /** Of the process that sends the requests and plays Lambda. */
  readonly harnessCpuMs: number
  /** Share of all cores that was busy while the load lasted, 0 to 1. */
  readonly machineBusy: number
  /** The part of it that has nothing to do with the benchmark: where it is large, a run says little. */
  readonly othersBusy: number
  /** The parts of a scenario that has several: `first`, `second` … Figures of each by itself. */
  readonly parts?: Readonly<Record<string, Part>>
}

export interface Offered {
  readonly requests: number
  /** What was wanted in each 250 ms from the start on, a second. */
  readonly perS: readonly number[]
}

export interface Requests {
  readonly answered: number
  readonly failed: number
  /** Refused by Lambda, all environments being busy. */
  readonly throttled: number
  /** By the error's code or, without one, its name or its text with every number as N. */
  readonly failures: Readonly<Record<string, number>>
}

export interface Latency {
  /** All are 0 where nothing was answered. */
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly max: number
  /** Counts by bucket; the bucket ends at `uptoMs`, buckets of no request are left out. */
  readonly histogram: readonly { readonly uptoMs: number; readonly count: number }[]
}

export interface Environments {
  readonly count: number
  /** The slowest environment's mean latency by the median one's of the same function; the worst function's. */
  readonly worstToMedian: number
  /** One for each environment that took a request. */
  readonly meansMs: readonly number[]
}

export interface Sessions {
  /** `max_connections` as set. */
  readonly limit: number
  /** What an ordinary login can have of it. */
  readonly slots: number
  /** The most that a fleet may have if it leaves its headroom free; absent where it has none. */
  readonly headroomLimit?: number
  readonly peak: number
  readonly samples: readonly { readonly atMs: number; readonly total: number }[]
}

/** Requests of one function or one kind in a scenario that mixes them. */
export interface Part {
  readonly requests: Requests
  readonly ratePerS: number
  readonly latencyMs: Latency
  readonly environments: Environments
  /** When its first request was sent, from the run's start. */
  readonly fromMs: number
  readonly durationMs: number
}
