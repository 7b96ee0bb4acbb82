/** The builder of a transaction: statements are collected, and all run when it is committed. */

import type { ServerlessClient } from './client.ts'
import { statementOf } from './statement.ts'

/* oxlint-disable typescript/no-explicit-any -- results are the driver's, and of any shape */

/**
 * Makes the next statement of the results so far: its text, or the arguments of `query` in a list. Null, or
 * an empty list, sends nothing, and has `[]` for a result.
 */
export type TransactionStep = (
  last: any,
  all: readonly any[],
) => string | readonly unknown[] | null | undefined | Promise<string | readonly unknown[] | null | undefined>

/** A transaction on a connection of its own: whole, or not at all. */
export interface ServerlessTransaction {
  /** Adds a function that makes the statement of the results so far. It may be called again by a retry. */
  query(step: TransactionStep): this
  /** Adds a statement, as `query` takes it. Sends nothing. */
  query(sql: string, values?: unknown): this
  query(options: object, values?: unknown): this
  /** Called, and awaited, after a statement failed or a function threw, and all was rolled back. */
  rollback(handler: (error: Error) => unknown): this
  /** Runs it, and resolves to the results in order. */
  commit<T = any>(): Promise<T[]>
}

export class TransactionBuilder<Pool, Client> implements ServerlessTransaction {
  readonly #client: ServerlessClient<Pool, Client>
  readonly #steps: TransactionStep[] = []
  #rollback: ((error: Error) => unknown) | undefined

  constructor(client: ServerlessClient<Pool, Client>) {
    this.#client = client
  }

  query(first: unknown, values?: unknown): this {
    this.#steps.push(
      typeof first === 'function'
        ? (first as TransactionStep)
        : () => (first === undefined ? [] : [first, values]),
    )
    return this
  }

  rollback(handler: (error: Error) => unknown): this {
    if (typeof handler === 'function') this.#rollback = handler
    return this
  }

  async commit<T = any>(): Promise<T[]> {
    const client = this.#client
    let isRolledBack = false
    try {
      return await client.runAgain(() => {
        isRolledBack = false
        return client.use((pool) =>
          client.engine.transaction(pool, async (connection) => {
            try {
              return await this.#run(connection)
            } catch (error) {
              isRolledBack = true
              throw error
            }
          }),
        )
      })
    } catch (error) {
      if (isRolledBack) await this.#tellRollback(error as Error)
      throw error
    }
  }

  async #run<T>(connection: Client): Promise<T[]> {
    const results: unknown[] = []
    for (const step of this.#steps) {
      const made = await step(results.at(-1), results)
      const args = typeof made === 'string' ? [made] : made
      if (!Array.isArray(args) || args[0] === undefined || args[0] === null) {
        results.push([])
        continue
      }
      const statement = statementOf(args as readonly unknown[])
      results.push(
        await this.#client.answer(statement, () => this.#client.engine.queryOn(connection, statement)),
      )
    }
    return results as T[]
  }

  async #tellRollback(error: Error): Promise<void> {
    try {
      await this.#rollback?.(error)
    } catch (thrown) {
      this.#client.tell('onError', thrown as Error)
    }
  }
}
