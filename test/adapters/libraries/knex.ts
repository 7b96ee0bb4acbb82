// Knex, on either engine.
import knex, { type Knex } from 'knex'

import { type LibraryInUse, settle, undoIf } from './library.ts'

/** Knex logs to the console that a connection ended. */
const log = { warn: () => {}, error: () => {}, debug: () => {}, deprecate: () => {} }

export function knexOn(client: 'pg' | 'mysql2', connectionPool: object): Knex {
  return knex({ client, connectionPool, log } as Knex.Config)
}

/** Knex has no option for the driver's module: its clients are subclassed. */
export function knexWith(client: 'pg' | 'mysql2', driver: object, connection: object): Knex {
  const { constructor: Base } = knex({ client }).client as { constructor: new (config: unknown) => object }
  class GovernedKnexClient extends Base {
    _driver(): object {
      return driver
    }
  }
  const governedClient = GovernedKnexClient as unknown as typeof Knex.Client
  return knex({ client: governedClient, connection: { ...connection }, pool: { min: 0, max: 2 }, log })
}

export function useKnex(db: Knex, sessionId: () => Promise<number>, end: () => Promise<void>): LibraryInUse {
  return {
    sessionId,
    addNote: (text, outcome) =>
      settle(
        db.transaction(async (trx) => {
          await trx('notes').insert({ text })
          undoIf(outcome)
        }),
      ),
    stream: async () => {
      const rows = (await db('notes').select('text').stream().toArray()) as { text: string }[]
      return rows.map(({ text }) => text)
    },
    end,
  }
}
