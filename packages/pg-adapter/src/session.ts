/** The governor's hands on one connected client, and what the client's traffic tells the governor. */

import type { GovernedConnection, Governor, Hands } from '@leasehold/core'

import { type Cancellable, leave } from './cancel.ts'
import { postgresDialect } from './dialect.ts'
import type { DriverClient, DriverResult } from './driver.ts'
import { activeQueryOf, queueOf } from './statement.ts'

/** What a pool does for the hands on one of its clients. */
export interface ClientHome {
  idle(client: DriverClient): boolean
  yield(client: DriverClient): void
  drop(client: DriverClient): void
}

export class ClientSession {
  readonly hands: Hands
  readonly #client: DriverClient
  readonly #governor: Governor
  #inTransaction = false

  /** @param ask gives a statement of ours to the driver, past everything that limits the application's */
  constructor(
    client: Cancellable,
    governor: Governor,
    home: ClientHome | undefined,
    ask: (statement: string) => Promise<DriverResult>,
  ) {
    this.#client = client
    this.#governor = governor
    this.hands = {
      run: async (statement) => (await ask(statement)).rows,
      ping: async () => {
        await ask('')
      },
      // Inside a transaction the server's lease does not run; a ping would only defeat the timeout that does.
      quiet: () => client.readyForQuery === true && queueOf(client).length === 0 && !this.#inTransaction,
      idle: () => !this.#inTransaction && (home?.idle(client) ?? false),
      yield: () => home?.yield(client),
      drop: () => home?.drop(client),
      leave: () => leave(client, governor.clock),
      inTransaction: () => this.#inTransaction,
      pooled: home !== undefined,
    }
  }

  watch(governed: GovernedConnection): void {
    const governor = this.#governor
    const { connection } = this.#client
    // Before the driver hands the answer over, whereupon a pool's own query releases the client.
    connection.prependListener('readyForQuery', (message?: { status?: string }) => {
      this.#inTransaction = message?.status === 'T' || message?.status === 'E'
      governor.answered(governed)
    })
    connection.prependListener('errorMessage', (message) => {
      if (activeQueryOf(this.#client) !== undefined) {
        governor.statements.explainLoss(message, this.#client, governed.checkedOut)
      }
      if (governed.spoilt || postgresDialect.classify(message) !== 'read-only') return
      governed.spoilt = true
      governor.observations.turnedReadOnly(governed)
    })
    connection.once('end', () => governor.forget(governed))
  }
}
