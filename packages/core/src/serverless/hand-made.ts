/**
 * Transactions that the application makes by hand: `query('BEGIN')`, statements, `query('COMMIT')`. They need
 * their connection to themselves, or its loss would let the rest of the transaction commit alone.
 */

import { type Env, functionName, invocationMark, systemEnv } from '../env.ts'
import type { LimitedLog } from '../log.ts'
import type { ServerlessEngine } from './engine.ts'
import type { Statement } from './options.ts'
import { endsTransaction } from './statement.ts'

export class HandMade<Pool, Client> {
  readonly #engine: ServerlessEngine<Pool, Client>
  readonly #env: Env
  readonly #log: () => LimitedLog
  #held: { readonly client: Client; readonly mark: string | undefined } | undefined

  constructor(engine: ServerlessEngine<Pool, Client>, env: Env | undefined, log: () => LimitedLog) {
    this.#engine = engine
    this.#env = env ?? systemEnv
    this.#log = log
  }

  /** Whether statements belong into one. One that an earlier invocation left open is dropped. */
  isOpen(): boolean {
    if (this.#held !== undefined && this.#held.mark !== invocationMark(this.#env)) {
      this.drop('when the next invocation began')
    }
    return this.#held !== undefined
  }

  async begin(pool: Pool, statement: Statement): Promise<unknown> {
    const client = await this.#engine.checkout(pool)
    try {
      const result = await this.#engine.queryOn(client, statement)
      this.#held = { client, mark: invocationMark(this.#env) }
      return result
    } catch (error) {
      this.#engine.destroy(client)
      throw error
    }
  }

  async query(statement: Statement): Promise<unknown> {
    const held = this.#held
    if (held === undefined) throw new Error('no transaction is open')
    const { client } = held
    try {
      const result = await this.#engine.queryOn(client, statement)
      if (endsTransaction(statement)) this.#leave(held, () => this.#engine.release(client))
      return result
    } catch (error) {
      // Lost, and the transaction with it; or it could not be ended, and nobody knows how it stands.
      if (!this.#engine.isOpen(client) || endsTransaction(statement)) {
        this.#leave(held, () => this.#engine.destroy(client))
      }
      throw error
    }
  }

  /** Closes the connection, which rolls back. */
  drop(when: string): void {
    const held = this.#held
    if (held === undefined) return
    this.#leave(held, () => this.#engine.destroy(held.client))
    const name = functionName(this.#env)
    const by = name === undefined ? '' : ` in ${name}`
    this.#log().warn('left-open', `a transaction${by} was still open ${when}, so it was rolled back`)
  }

  #leave(held: { readonly client: Client }, act: () => void): void {
    if (this.#held !== held) return
    this.#held = undefined
    act()
  }
}
