/** Transactions of ours by connection, and the savepoints inside them: one after another, never side by side. */

import { AsyncLocalStorage } from 'node:async_hooks'

import { LeaseholdError } from './errors.ts'
import { checkNestedOptions, type TransactionOptions } from './transaction-options.ts'

/** One transaction, from its BEGIN until its connection is given back. */
export interface Scope {
  /** How deep savepoints are nested. */
  depth: number
  /** Why it must not be committed, whatever the function says. */
  doom: unknown
  /** COMMIT is on its way: from now on a loss leaves the outcome open. */
  isCommitting: boolean
  isOver: boolean
}

const scopes = new WeakMap<object, Scope>()

/** Which savepoint a piece of code runs in. Used by nested transactions only, for it is not free. */
const whereabouts = new AsyncLocalStorage<Place>()

interface Place {
  readonly scope: Scope
  readonly depth: number
  readonly outer: Place | undefined
}

/** How deep in the savepoints of `scope` the calling code is. */
function depthHere(scope: Scope): number {
  let place = whereabouts.getStore()
  while (place !== undefined && place.scope !== scope) place = place.outer
  return place?.depth ?? 0
}

/** Whether `connection` is inside a transaction that `transaction()` began. */
export function isInTransaction(connection: object): boolean {
  return scopes.has(connection)
}

/** Inside, and COMMIT not sent: were the connection lost now, nothing would stay. */
export function isUncommitted(connection: object): boolean {
  return scopes.get(connection)?.isCommitting === false
}

export function openScope(connection: object): Scope {
  const scope: Scope = { depth: 0, doom: undefined, isCommitting: false, isOver: false }
  scopes.set(connection, scope)
  return scope
}

export function closeScope(connection: object, scope: Scope): void {
  scope.isOver = true
  scopes.delete(connection)
}

/** What savepoints need an adapter to do with a connection. */
export interface SavepointHands<C> {
  /** Runs one statement of ours. */
  run(connection: C, statement: string): Promise<void>
  /** The error that made the server roll back by itself, where the application may not have noticed. */
  doom(connection: C): unknown
}

/**
 * A transaction inside a transaction: a savepoint, which only its own failure rolls back. They end in the
 * reverse of the order in which they began; two at a time would undo each other's work.
 *
 * @throws LeaseholdError `TRANSACTION_ABORTED` where another one is under way beside it, or the whole
 *   transaction has ended; `INVALID_OPTIONS`
 */
export async function runNested<C extends object, T>(
  hands: SavepointHands<C>,
  connection: C,
  work: (connection: C) => Promise<T>,
  options: TransactionOptions = {},
): Promise<T> {
  checkNestedOptions(options)
  const scope = scopes.get(connection)
  if (scope === undefined) throw ended()
  if (scope.depth !== depthHere(scope)) throw sideBySide()
  scope.depth += 1
  const { depth } = scope
  const place: Place = { scope, depth, outer: whereabouts.getStore() }
  const savepoint = `leasehold_${depth}`
  try {
    await hands.run(connection, `savepoint ${savepoint}`)
    const result = await whereabouts.run(place, async () => work(connection))
    if (scope.isOver) throw ended()
    if (scope.depth !== depth) throw sideBySide()
    await hands.run(connection, `release savepoint ${savepoint}`)
    return result
  } catch (error) {
    await rollBackTo(hands, connection, scope, savepoint, error)
    throw error
  } finally {
    scope.depth = Math.min(scope.depth, depth - 1)
  }
}

async function rollBackTo<C extends object>(
  hands: SavepointHands<C>,
  connection: C,
  scope: Scope,
  savepoint: string,
  error: unknown,
): Promise<void> {
  // The connection may be another's by now; or the whole transaction is gone, and its own end tells.
  if (scope.isOver || hands.doom(connection) !== undefined) return
  try {
    await hands.run(connection, `rollback to savepoint ${savepoint}`)
  } catch {
    // The first error is the one to tell; and what was not undone must not be committed.
    scope.doom ??= error
  }
}

function sideBySide(): LeaseholdError {
  return new LeaseholdError(
    'TRANSACTION_ABORTED',
    'two transactions inside one ran side by side on its connection: await one before the next begins, or ' +
      'give each a transaction of its own',
  )
}

function ended(): LeaseholdError {
  return new LeaseholdError(
    'TRANSACTION_ABORTED',
    'the transaction around this one has ended: await everything that runs inside it',
  )
}

/** For a function that resolved while a transaction inside was still under way. */
export function unfinished(): LeaseholdError {
  return new LeaseholdError(
    'TRANSACTION_ABORTED',
    'a transaction inside this one was still under way when its function ended, so all was rolled back: ' +
      'await everything that runs inside it',
  )
}
