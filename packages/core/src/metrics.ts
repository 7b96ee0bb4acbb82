/** The one list of metrics, and the port through which they leave: every name, unit and meaning comes from here. */

import type { Stats } from './stats.ts'

/** CloudWatch's words for units. */
export type MetricUnit = 'Count' | 'Milliseconds' | 'Seconds' | 'Percent'

/** A `count` is summed up; of a `value` the whole distribution matters. */
export interface MetricField {
  readonly kind: 'count' | 'value'
  readonly unit: MetricUnit
  readonly meaning: string
  /** Which of the pool's counts it is, where it is one of them. */
  readonly stat?: keyof Stats
}

/** PascalCase, as CloudWatch's own are. In the order of the docs. */
export const METRICS = {
  Pressure: { kind: 'value', unit: 'Percent', meaning: 'Used slots / slots, at each census.' },
  SlotsUsed: { kind: 'value', unit: 'Count', meaning: "Slots in use at each census, others' included." },
  SlotsTotal: { kind: 'value', unit: 'Count', meaning: 'Slots open to the application at a census.' },
  FleetSessions: {
    kind: 'value',
    unit: 'Count',
    meaning: "The fleet's own sessions at a census, where the server shows all of them.",
  },
  AcquireTime: {
    kind: 'value',
    unit: 'Milliseconds',
    meaning:
      'From asking the pool to having a connection: opening it, the wait for a busy pool, or the ping before its use; 0 where one was ready.',
  },
  PoolWaitTime: {
    kind: 'value',
    unit: 'Milliseconds',
    meaning: 'How long requests waited for a connection of a busy pool, those that gave up included.',
  },
  SlotWaitTime: {
    kind: 'value',
    unit: 'Milliseconds',
    meaning: 'How long opening waited for a slot, where it had to, in vain included.',
  },
  ConnectTime: { kind: 'value', unit: 'Milliseconds', meaning: 'The attempt to connect that succeeded.' },
  ConnectNetworkTime: { kind: 'value', unit: 'Milliseconds', meaning: 'Of it: DNS and TCP.' },
  ConnectTlsTime: { kind: 'value', unit: 'Milliseconds', meaning: 'Of it: TLS.' },
  ConnectLoginTime: {
    kind: 'value',
    unit: 'Milliseconds',
    meaning: 'Of it: authentication, and what the server needs to begin a session.',
  },
  ConnectCensusTime: {
    kind: 'value',
    unit: 'Milliseconds',
    meaning:
      'Of it: the first statement, which counts and takes the lease (MySQL, MariaDB; PostgreSQL takes it in the login).',
  },
  CensusTime: {
    kind: 'value',
    unit: 'Milliseconds',
    meaning: 'One census, mostly after a response; one that the process was frozen in is left out.',
  },
  HousekeepingTime: {
    kind: 'value',
    unit: 'Milliseconds',
    meaning: 'All that was done at once after a response: census, lease, recall. Left out likewise.',
  },
  ColdStartTime: {
    kind: 'value',
    unit: 'Milliseconds',
    meaning:
      'What the first connection of a pool took, credential included. Its number of samples is the number of cold starts.',
  },
  ConnectionsOpened: { kind: 'count', unit: 'Count', stat: 'opened', meaning: 'Connections opened.' },
  ConnectionsReused: {
    kind: 'count',
    unit: 'Count',
    stat: 'reused',
    meaning: 'Checkouts served by a connection that was open already.',
  },
  ConnectionsLapsed: {
    kind: 'count',
    unit: 'Count',
    stat: 'lapsed',
    meaning: 'Idle connections dropped because their lease had run out.',
  },
  ConnectionsYielded: {
    kind: 'count',
    unit: 'Count',
    stat: 'yielded',
    meaning: 'Connections closed after a response so that another environment could have the slot.',
  },
  ConnectionsLost: {
    kind: 'count',
    unit: 'Count',
    stat: 'lost',
    meaning: 'Idle connections found dead for any other reason, recalled ones among them, and replaced.',
  },
  ConnectionsEvicted: {
    kind: 'count',
    unit: 'Count',
    stat: 'evicted',
    meaning: 'Connections dropped because the server turned read-only.',
  },
  ZombiesReaped: {
    kind: 'count',
    unit: 'Count',
    stat: 'reaped',
    meaning: 'Idle sessions of the fleet that this environment ended because slots were short.',
  },
  CheckoutsReclaimed: {
    kind: 'count',
    unit: 'Count',
    stat: 'reclaimed',
    meaning: 'Connections or transactions left over from an earlier invocation, and ended.',
  },
  ConnectAttempts: {
    kind: 'count',
    unit: 'Count',
    stat: 'attempts',
    meaning: 'Attempts to connect, successful ones included.',
  },
  ConnectsRefused: {
    kind: 'count',
    unit: 'Count',
    stat: 'refused',
    meaning: 'Attempts refused because no slot was free.',
  },
  ConnectsGivenUp: {
    kind: 'count',
    unit: 'Count',
    stat: 'gaveUp',
    meaning: 'Requests that had no connection by their deadline.',
  },
  ConnectsFailed: {
    kind: 'count',
    unit: 'Count',
    stat: 'failed',
    meaning:
      'Requests that got no connection because of an error that no further attempt would have mended: credentials refused, no such database.',
  },
  RetriesSaturated: {
    kind: 'count',
    unit: 'Count',
    stat: 'retriedSaturated',
    meaning: 'Further attempts because no slot was free.',
  },
  RetriesAuth: {
    kind: 'count',
    unit: 'Count',
    stat: 'denied',
    meaning: 'Further attempts with another credential because the server refused one.',
  },
  RetriesStarting: {
    kind: 'count',
    unit: 'Count',
    stat: 'retriedStarting',
    meaning: 'Further attempts because the server, or the way to it, was not there yet.',
  },
  RetriesLost: {
    kind: 'count',
    unit: 'Count',
    stat: 'retriedLost',
    meaning: 'Further attempts because the connection broke before it was established.',
  },
  StatementsReplayed: {
    kind: 'count',
    unit: 'Count',
    stat: 'replayed',
    meaning: 'Statements sent again because that was safe.',
  },
  StatementsCancelled: {
    kind: 'count',
    unit: 'Count',
    stat: 'cancelled',
    meaning: 'Statements cancelled at their limit, or because their signal aborted.',
  },
  TransactionsRetried: {
    kind: 'count',
    unit: 'Count',
    stat: 'rerun',
    meaning: 'Transactions run again, whole, after they lost a race.',
  },
  AmbiguousLosses: {
    kind: 'count',
    unit: 'Count',
    stat: 'ambiguous',
    meaning: 'Statements and commits that were cut off so that nobody knows whether they took effect.',
  },
  LeasesRefused: {
    kind: 'count',
    unit: 'Count',
    stat: 'leaseRefused',
    meaning: 'Times a server or proxy would not hold a lease.',
  },
  TokenAge: {
    kind: 'value',
    unit: 'Seconds',
    meaning: 'How old the token was that a connect logged in with.',
  },
  TokensRenewed: { kind: 'count', unit: 'Count', meaning: 'Tokens signed.' },
  SecretAge: {
    kind: 'value',
    unit: 'Seconds',
    meaning: 'How long ago the secret was read that a connect logged in with.',
  },
  SecretsRenewed: { kind: 'count', unit: 'Count', meaning: 'Secrets read.' },
  SecretsServedStale: {
    kind: 'count',
    unit: 'Count',
    meaning: 'Connects that got an older secret because reading it again had failed.',
  },
  SecretsThrottled: {
    kind: 'count',
    unit: 'Count',
    meaning: 'Requests for a secret that were refused because there were too many.',
  },
  MetricsDropped: {
    kind: 'count',
    unit: 'Count',
    meaning: 'Data points that could not be delivered and were given up, so that memory stays bounded.',
  },
} as const

export type MetricName = keyof typeof METRICS

/** What every metric is told apart by: the same for all environments of a fleet. */
export interface MetricDimensions {
  /** The option `fleet`. */
  readonly Fleet: string
  readonly Engine: string
  /** The server's address: `host:port`. */
  readonly Target: string
}

/** Takes one measurement: of a count, how many more. Never throws, waits for nothing. */
export type Observe = (name: MetricName, value: number) => void

/** Where measurements go. May be shared by several pools. */
export interface MetricsSink {
  /** How often it wants to be flushed while the pool is in use. Milliseconds, 1 000 to 900 000. */
  readonly everyMs: number
  /** Takes a measurement that was made `count` times. Must not throw and must not wait; keeps a bounded amount. */
  record(name: MetricName, value: number, count: number, of: MetricDimensions): void
  /**
   * Sends what it has. Called after a response, and at the end. Never rejects, and ends by itself within
   * seconds; what could not be sent is kept for the next time, or dropped and counted.
   *
   * @param isLast there may be no next time: pauses after a failure do not count
   * @returns in a sentence what went wrong, for the log; undefined where nothing did
   */
  flush(isLast: boolean): Promise<string | undefined>
}

/** Measures nothing and sends nothing. */
export const noMetrics: MetricsSink = Object.freeze({
  everyMs: 900_000,
  record: () => undefined,
  flush: () => Promise.resolve(undefined),
})
