/** `transaction()`: a function between START TRANSACTION and COMMIT, on a connection of its own. */

import {
  type Governor,
  invalidOptions,
  isInTransaction,
  runNested,
  runTransaction,
  type TransactionHands,
  type TransactionOptions,
} from '@leasehold/core'
import type mysql2 from 'mysql2'

import { cancelRunning } from './cancel.ts'
import type { DriverConnection, DriverPool } from './driver.ts'
import { abandon, run as runOn } from './governed-connection.ts'
import { GOVERNOR } from './governed-pool.ts'
import type { GovernedPromiseConnection } from './pool-types.ts'
import { type ConnectionSession, sessionOf } from './session.ts'
import { STATEMENT_METHODS } from './statement.ts'

type PromisePool = ReturnType<mysql2.Pool['promise']>
type PromiseConnection = ReturnType<mysql2.Connection['promise']>
type Hands = TransactionHands<DriverConnection>

/** Connections of the application's own on which a transaction begins, runs or ends. */
const taken = new WeakSet<object>()

/**
 * Runs `work` inside a transaction and resolves to what it resolves to. Whatever `work` throws rolls back and
 * is thrown. `work` runs again, whole, where the transaction lost a race with another (1213, 1205), and only
 * then: it must be free of effects outside the database.
 *
 * After a deadlock the server has rolled back everything, and after a lock wait that took too long it may have;
 * `create`, `alter` and the like commit. From there on nothing more is sent on the connection, because it would
 * run outside of any transaction; and the whole fails, even where `work` caught the error.
 *
 * - On a pool: on a connection of its own for its whole life, which goes back afterwards.
 * - On the connection inside such a `work`: a savepoint, which only its own failure rolls back.
 * - On a connection that the application made or took from a pool itself: on that connection, which stays with
 *   the application. Where its transaction cannot be rolled back the connection is cut, and can only be given back.
 *
 * `work` gets the driver's promise face of the connection, whatever face was passed in.
 *
 * @throws the first error, the driver's own. `error.leasehold.commitOutcome` is `'unknown'` where the
 *   connection was lost before the answer to COMMIT came
 * @throws LeaseholdError `TRANSACTION_ABORTED` where a statement inside ended the transaction, and where the
 *   error that ended it was caught and another statement was sent; `INVALID_OPTIONS` for options out of range,
 *   and for a pool or connection that is not governed
 */
export async function transaction<T>(
  poolOrConnection: mysql2.Pool | PromisePool | mysql2.Connection | PromiseConnection,
  work: (connection: GovernedPromiseConnection) => Promise<T>,
  options: TransactionOptions = {},
): Promise<T> {
  const { governor, pool, connection, face } = targetOf(poolOrConnection)
  if (typeof work !== 'function') throw invalidOptions('`work`, the second argument, must be a function')
  const parts = governor.transactionParts
  if (connection === undefined) {
    return runTransaction(parts, handsOfPool(governor, pool), (own) => onFace(own, work), options)
  }
  const run = (own: DriverConnection): Promise<T> =>
    work((face ?? own.promise()) as GovernedPromiseConnection)
  if (isInTransaction(connection)) return runNested(handsOn(governor), connection, run, options)
  checkFree(connection)
  taken.add(connection)
  try {
    return await runTransaction(parts, handsOfConnection(governor, connection), guarded(run), options)
  } finally {
    taken.delete(connection)
  }
}

type Work<T> = (connection: DriverConnection) => Promise<T>

interface TransactionTarget {
  readonly governor: Governor
  readonly pool: DriverPool
  /** Undefined where a pool was passed in. */
  readonly connection: DriverConnection | undefined
  /** The promise face, where that was passed in. */
  readonly face: unknown
}

/** Of a promise face, what is behind it. */
function targetOf(given: unknown): TransactionTarget {
  const behind = given as { pool?: unknown; connection?: unknown } | null | undefined
  for (const core of [given, behind?.pool]) {
    const governor = (core as { [GOVERNOR]?: Governor } | null | undefined)?.[GOVERNOR]
    if (governor !== undefined)
      return { governor, pool: core as DriverPool, connection: undefined, face: undefined }
  }
  for (const core of [given, behind?.connection]) {
    const session = sessionOf(core)
    if (session === undefined) continue
    const connection = core as DriverConnection
    const face = core === given ? undefined : given
    return { governor: session.governor, pool: connection._pool as DriverPool, connection, face }
  }
  throw invalidOptions(
    '`poolOrConnection`, the first argument, must be a governed pool, or an open connection of one: make it with ' +
      '`createPool`, or by the `createPool` or `createConnection` that `govern(mysql2)` returns',
  )
}

function checkFree(connection: DriverConnection): void {
  if (taken.has(connection)) {
    throw invalidOptions(
      '`poolOrConnection`, the first argument, is a connection on which another transaction begins or ends: ' +
        'await it first',
    )
  }
  if (sessionOf(connection)?.hands.inTransaction() === true) {
    throw invalidOptions(
      '`poolOrConnection`, the first argument, is a connection inside a transaction that was begun by hand: ' +
        'ending ours would end that one',
    )
  }
}

function sessionFor(connection: DriverConnection): ConnectionSession {
  return sessionOf(connection) as ConnectionSession
}

/** From here on the server's word that the transaction has ended is heard. */
function guarded<T>(work: Work<T>): Work<T> {
  return (connection) => {
    sessionFor(connection).beginGuard()
    return work(connection)
  }
}

/** A face for this function alone: once it has ended, the connection may be another's. */
async function onFace<T>(
  connection: DriverConnection,
  work: (face: GovernedPromiseConnection) => Promise<T>,
): Promise<T> {
  sessionFor(connection).beginGuard()
  return work(faceOf(connection))
}

const faces = new WeakMap<DriverConnection, Record<string, unknown>>()

function faceOf(connection: DriverConnection): GovernedPromiseConnection {
  const face = connection.promise()
  faces.set(connection, face as Record<string, unknown>)
  return face as GovernedPromiseConnection
}

function closeFace(connection: DriverConnection): void {
  const face = faces.get(connection)
  faces.delete(connection)
  if (face === undefined) return
  for (const method of [...STATEMENT_METHODS, 'beginTransaction', 'commit', 'rollback']) {
    face[method] = () =>
      Promise.reject(
        new Error('the transaction of this connection has ended: await everything that runs inside it'),
      )
  }
}

/** What is the same on every connection. */
function handsOn(governor: Governor): Pick<Hands, 'run' | 'commit' | 'doom' | 'cancel'> {
  const ask = async (connection: DriverConnection, statement: string): Promise<void> => {
    const guard = sessionFor(connection).guard
    if (guard === undefined) await runOn(connection, statement)
    else await guard.letThrough(() => runOn(connection, statement))
  }
  return {
    run: async (connection, statement) => {
      const { guard } = sessionFor(connection)
      if (statement === 'rollback') guard?.end()
      // A savepoint would begin nothing, and its release fail, where the transaction around it is gone.
      else if (guard?.doom !== undefined) throw guard.doom
      await ask(connection, statement)
    },
    commit: async (connection) => {
      sessionFor(connection).guard?.end()
      await ask(connection, 'commit')
      return true
    },
    doom: (connection) => sessionFor(connection).guard?.doom,
    cancel: (connection) => cancelRunning(connection, governor),
  }
}

function handsOfPool(governor: Governor, pool: DriverPool): Hands {
  const end = (connection: DriverConnection): void => {
    closeFace(connection)
    sessionFor(connection).liftGuard()
  }
  return {
    ...handsOn(governor),
    checkout: () =>
      new Promise((resolve, reject) => {
        pool.getConnection((error, connection) => {
          if (error || connection === undefined) reject(error)
          else resolve(connection)
        })
      }),
    release: (connection) => {
      end(connection)
      connection.release?.()
    },
    destroy: (connection) => {
      end(connection)
      abandon(connection)
    },
  }
}

function handsOfConnection(governor: Governor, given: DriverConnection): Hands {
  const hands = handsOn(governor)
  let failure: unknown
  let isCut = false
  return {
    ...hands,
    // There is no other to begin on again.
    checkout: async () => {
      if (isCut) throw failure
      return given
    },
    run: async (connection, statement) => {
      try {
        await hands.run(connection, statement)
      } catch (error) {
        failure = error
        throw error
      }
    },
    release: (connection) => sessionFor(connection).liftGuard(),
    destroy: (connection) => {
      isCut = true
      sessionFor(connection).liftGuard()
      abandon(connection)
    },
  }
}
