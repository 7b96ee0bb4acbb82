/** The server's bookkeeping of one transaction: what was done, and what is undone by it. */

import type { TransactionBound } from './fake-statement.ts'

/** What COMMIT answers where the server rolled back instead. */
export const ROLLED_BACK = 'rolled back'

/** What a session has done since `begin`. */
export class FakeTransaction {
  /** A statement inside failed: nothing but a rollback is taken any more. */
  failed = false
  readonly #statements: string[] = []
  readonly #savepoints: { readonly name: string; readonly count: number }[] = []

  /** What has been done and not undone, in order. */
  get statements(): readonly string[] {
    return this.#statements
  }

  did(statement: string): void {
    this.#statements.push(statement)
  }

  save(name: string): void {
    this.#savepoints.push({ name, count: this.#statements.length })
  }

  /** Forgets a savepoint and those after it. False where there is none of that name. */
  release(name: string): boolean {
    const place = this.#savepoints.findLastIndex((savepoint) => savepoint.name === name)
    if (place < 0) return false
    this.#savepoints.length = place
    return true
  }

  /** Undoes what was done since a savepoint, which stays. False where there is none of that name. */
  rollBackTo(name: string): boolean {
    const savepoint = this.#savepoints.findLast((other) => other.name === name)
    if (savepoint === undefined || !this.release(name)) return false
    this.#savepoints.push(savepoint)
    this.#statements.length = savepoint.count
    this.failed = false
    return true
  }
}

/** What the server keeps of a session's transaction. */
export interface Transacting {
  transaction: FakeTransaction | undefined
}

/**
 * Begins or ends a transaction, or a part of one.
 *
 * @param commits is given what stays
 * @returns the rows of the answer, or undefined where there is no such savepoint
 */
export function setBound(
  session: Transacting,
  bound: TransactionBound,
  savepoint: string,
  commits: (statements: readonly string[]) => void,
): readonly unknown[] | undefined {
  const { transaction } = session
  switch (bound) {
    case 'begin':
      session.transaction ??= new FakeTransaction()
      return []
    case 'commit':
      session.transaction = undefined
      if (transaction?.failed === true) return [ROLLED_BACK]
      commits(transaction?.statements ?? [])
      return []
    case 'rollback':
      session.transaction = undefined
      return []
    case 'savepoint':
      transaction?.save(savepoint)
      return transaction === undefined ? undefined : []
    case 'release savepoint':
      return transaction?.release(savepoint) === true ? [] : undefined
    case 'rollback to savepoint':
      return transaction?.rollBackTo(savepoint) === true ? [] : undefined
  }
}
