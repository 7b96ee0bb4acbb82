/** @leasehold/core/testing: time, randomness and a database server that obey the test. */

export { FakeClient, type FakeQueryOptions } from './fake-client.ts'
export { fakeDialect } from './fake-dialect.ts'
export { type FakeErrorCode, FakeServerError } from './fake-errors.ts'
export { FakePool, type FakePoolOptions, type FakePoolQueryOptions } from './fake-pool.ts'
export { FakeServer } from './fake-server.ts'
export type { FakeConnectRequest, FakeServerOptions } from './fake-server-options.ts'
export { type FakeHome, FakeSession, type ServerSide, type SessionHost } from './fake-session.ts'
export { ManualClock } from './manual-clock.ts'
export { ScriptedRandom } from './scripted-random.ts'
export { transaction } from './transaction.ts'
