/** `transaction()` of the fake pool, as an adapter has it. */

import { isInTransaction, runNested } from '../savepoint.ts'
import type { TransactionOptions } from '../transaction-options.ts'
import { runTransaction, type TransactionHands } from '../transaction.ts'
import { FakeClient } from './fake-client.ts'
import type { FakePool } from './fake-pool.ts'
import { ROLLED_BACK } from './fake-transaction.ts'

/**
 * Runs `work` inside a transaction, as the adapters' `transaction` does: on a connection of its own, whole
 * or not at all. Given a client that is inside one, runs it inside a savepoint.
 */
export function transaction<T>(
  where: FakePool | FakeClient,
  work: (client: FakeClient) => Promise<T>,
  options?: TransactionOptions,
): Promise<T> {
  if (!(where instanceof FakeClient)) {
    return runTransaction(where.governor.transactionParts, handsOf(where), work, options)
  }
  if (isInTransaction(where)) return runNested(savepointHands, where, work, options)
  return Promise.reject(new TypeError('this client is in no transaction: give the pool instead'))
}

const savepointHands = {
  run: async (client: FakeClient, statement: string): Promise<void> => {
    await client.query(statement)
  },
  // The server says it at COMMIT.
  doom: (): undefined => undefined,
}

function handsOf(pool: FakePool): TransactionHands<FakeClient> {
  return {
    ...savepointHands,
    checkout: () => pool.connect(),
    commit: async (client) => (await client.query('commit')).rows[0] !== ROLLED_BACK,
    cancel: (client) => client.session.cancel().catch(() => undefined),
    release: (client) => client.release(),
    destroy: (client) => client.release(true),
  }
}
