/** @leasehold/core: what both adapters share. Applications import an adapter; this is for adapters and tests. */

export { asGiven } from './as-given.ts'
export { Asker } from './asker.ts'
export { callersOf } from './call-site.ts'
export {
  type Census,
  type FleetView,
  type LimitOf,
  pressureOf,
  shareOfOthers,
  type SlotLimit,
  tightest,
  viewOf,
} from './census.ts'
export { type Clock, Moment, systemClock } from './clock.ts'
export type { GovernedConnection, Hands, Opened } from './connection.ts'
export type { Credential, CredentialRequest, CredentialSource, CredentialTarget } from './credentials.ts'
export { Deadline, within } from './deadline.ts'
export type { CensusAndLease, Dialect, Engine } from './dialect.ts'
export { type Env, functionName, invocationMark, runsSeveralInvocations, systemEnv } from './env.ts'
export {
  annotate,
  codeOf,
  ERROR_CODES,
  type ErrorKind,
  failureDetails,
  type FailureDetails,
  invalidOptions,
  LeaseholdError,
  type LeaseholdErrorCode,
  tlsRequired,
} from './errors.ts'
export {
  type EventDetails,
  type EventField,
  type EventName,
  EVENTS,
  eventsTable,
  type Hooks,
  type LeaseholdEvent,
} from './events.ts'
export { governanceOf, type PoolGovernance } from './governance.ts'
export { type Fitness, Governor } from './governor.ts'
export type { Surroundings } from './surroundings.ts'
export type { Invocation, InvocationContext } from './invocation.ts'
export { Invocations } from './invocations.ts'
export { formatLabel, parseLabel, type SessionLabel } from './label.ts'
export { Lease, type LeaseKeeper, leaseMarginMs } from './lease.ts'
export { consoleLogger, LimitedLog, type Logger } from './log.ts'
export { isMeter, type Meter, type PoolFacts } from './meter.ts'
export {
  type MetricDimensions,
  type MetricField,
  type MetricName,
  METRICS,
  type MetricsSink,
  type MetricUnit,
  noMetrics,
  type Observe,
} from './metrics.ts'
export { metricsTable } from './metrics-table.ts'
export type { Attempt, FailedAttempt } from './open.ts'
export { type ChoiceField, type Field, FIELDS } from './options/fields.ts'
export type { LeaseholdOptions, ResolvedOptions } from './options/options.ts'
export { check as checkOption, OPTION_NAMES, resolveOptions, splitOptions } from './options/resolve.ts'
export { suggest } from './options/suggest.ts'
export { defaultOf, optionsTable, rangeOf } from './options/table.ts'
export { calm, contended, leaseFor, leaseLadder, type LeaseStep, type PolicyLimits } from './policy.ts'
export { drawQuantumMs, type HolderState, type Keeping, keeping } from './policy-keeping.ts'
export {
  firstDelayMs,
  type NewcomerState,
  nextDelayMs,
  publishedWaitMs,
  type WaitingState,
} from './policy-waiting.ts'
export { type OpenSessions, processWide } from './process-wide.ts'
export { type Random, systemRandom } from './random.ts'
export { type RecallTerms, recallTerms } from './recall.ts'
export type { RecallAsk, RecallOutcome, RecallPlan } from './recall-plan.ts'
export type { ConnectPhase } from './phases.ts'
export { type EnvironmentPlace, followPlaces, type PlaceKeeper, poolMax, workerCount } from './share.ts'
export { isInTransaction, runNested, type SavepointHands } from './savepoint.ts'
export { limitsIn, type StatementOptions, statementOptionsIn, statementProblem } from './statement-options.ts'
export { Statements } from './statements.ts'
export { newStats, type Stats } from './stats.ts'
export type { StatementLimits, Stoppable } from './stopping.ts'
export { runTransaction, type TransactionHands, type TransactionParts } from './transaction.ts'
export type { Isolation, TransactionMode, TransactionOptions } from './transaction-options.ts'
export { isRdsHost } from './rds-host.ts'
export { type RdsTls, rdsTls } from './tls.ts'
