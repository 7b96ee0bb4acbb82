/** `transaction()`: a function between BEGIN and COMMIT, on a connection of its own. */

import {
  type Governor,
  invalidOptions,
  isInTransaction,
  runNested,
  runTransaction,
  type TransactionHands,
  type TransactionOptions,
} from '@leasehold/core'
import type pg from 'pg'

import { cancelRunning } from './cancel.ts'
import { type GovernedClient, GOVERNOR } from './governed-client.ts'
import type { GovernedPoolClient } from './pool-types.ts'

type Hands = TransactionHands<GovernedClient>
type Release = (destroy: boolean) => void

/** Clients of the application's own on which a transaction begins, runs or ends. */
const taken = new WeakSet<object>()

/**
 * Runs `work` inside a transaction and resolves to what it resolves to. Whatever `work` throws rolls back and
 * is thrown. `work` runs again, whole, where the transaction lost a race with another (40001, 40P01), and only
 * then: it must be free of effects outside the database.
 *
 * - On a pool: on a connection of its own for its whole life, which goes back afterwards.
 * - On the client inside such a `work`: a savepoint, which only its own failure rolls back.
 * - On a client that the application made or took from a pool itself: on that client, which stays with the
 *   application. Where its transaction cannot be rolled back the client is cut, and can only be given back.
 *
 * @throws the first error, the driver's own. `error.leasehold.commitOutcome` is `'unknown'` where the
 *   connection was lost before the answer to COMMIT came
 * @throws LeaseholdError `TRANSACTION_ABORTED` where the error of a statement inside was caught and not thrown
 *   on; `INVALID_OPTIONS` for options out of range, and for a pool or client that is not governed
 */
export function transaction<T>(
  pool: pg.Pool,
  work: (client: GovernedPoolClient) => Promise<T>,
  options?: TransactionOptions,
): Promise<T>
export function transaction<C extends pg.ClientBase, T>(
  client: C,
  work: (client: C) => Promise<T>,
  options?: TransactionOptions,
): Promise<T>
export async function transaction<T>(
  poolOrClient: unknown,
  work: (client: never) => Promise<T>,
  options: TransactionOptions = {},
): Promise<T> {
  const governor = governorOf(poolOrClient)
  if (typeof work !== 'function') throw invalidOptions('`work`, the second argument, must be a function')
  const run = (client: GovernedClient): Promise<T> => work(client as never)
  const parts = governor.transactionParts
  if (!isClient(poolOrClient)) {
    return runTransaction(parts, handsOfPool(governor, poolOrClient as pg.Pool), run, options)
  }
  const client = poolOrClient
  if (isInTransaction(client)) return runNested(handsOn(governor), client, run, options)
  checkFree(client)
  taken.add(client)
  try {
    return await runTransaction(parts, handsOfClient(governor, client), run, options)
  } finally {
    taken.delete(client)
  }
}

function governorOf(poolOrClient: unknown): Governor {
  const governor = (poolOrClient as { [GOVERNOR]?: Governor } | null | undefined)?.[GOVERNOR]
  if (governor !== undefined) return governor
  throw invalidOptions(
    '`poolOrClient`, the first argument, must be a governed pool, or a client of one: make it with `createPool`, ' +
      'or by the `Pool` or `Client` that `govern(pg)` returns',
  )
}

function isClient(poolOrClient: unknown): poolOrClient is GovernedClient {
  return typeof (poolOrClient as Partial<GovernedClient>).holdQueries === 'function'
}

function checkFree(client: GovernedClient): void {
  if (client.governed === undefined) {
    throw invalidOptions(
      '`poolOrClient`, the first argument, is a client that is not connected: connect it first',
    )
  }
  if (taken.has(client)) {
    throw invalidOptions(
      '`poolOrClient`, the first argument, is a client on which another transaction begins or ends: await it first',
    )
  }
  if (client.governed.hands.inTransaction()) {
    throw invalidOptions(
      '`poolOrClient`, the first argument, is a client inside a transaction that was begun by hand: ending ours ' +
        'would end that one',
    )
  }
}

/** What is the same on every client. */
function handsOn(governor: Governor): Pick<Hands, 'run' | 'commit' | 'doom' | 'cancel'> {
  return {
    run: async (client, statement) => {
      await client.query(statement)
    },
    // Past every limit of a statement: a commit that is stopped half-way leaves nobody the wiser.
    commit: async (client) => (await client.ask('commit')).command !== 'ROLLBACK',
    // PostgreSQL ends no transaction by itself: a failed one waits for its end.
    doom: () => undefined,
    cancel: (client) => cancelRunning(client, governor.clock),
  }
}

function handsOfPool(governor: Governor, pool: pg.Pool): Hands {
  const releases = new WeakMap<GovernedClient, Release>()
  const giveBack = (client: GovernedClient, destroy: boolean): void => {
    const release = releases.get(client)
    releases.delete(client)
    release?.(destroy)
  }
  return {
    ...handsOn(governor),
    checkout: async () => {
      const client = (await pool.connect()) as unknown as GovernedClient & { release: Release }
      releases.set(client, client.release)
      client.release = releasedInside
      return client
    },
    release: (client) => giveBack(client, false),
    destroy: (client) => {
      giveBack(client, true)
      client.cut()
    },
  }
}

function releasedInside(): never {
  throw new Error('this client belongs to its transaction, which gives it back: do not release it inside')
}

function handsOfClient(governor: Governor, client: GovernedClient): Hands {
  const hands = handsOn(governor)
  let failure: unknown
  let isCut = false
  return {
    ...hands,
    // There is no other to begin on again.
    checkout: () => (isCut ? Promise.reject(failure) : Promise.resolve(client)),
    run: async (connection, statement) => {
      try {
        await hands.run(connection, statement)
      } catch (error) {
        failure = error
        throw error
      }
    },
    release: () => {},
    destroy: () => {
      isCut = true
      client.cut()
    },
  }
}
