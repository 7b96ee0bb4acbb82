/** A governed `pg.Pool` behind the face that the commands use. */

import type { EventEmitter } from 'node:events'

import { createPool } from '@leasehold/pg-adapter'

import { type Connector, endOf, type Governance, type Row, type Session } from './session.ts'
import type { PoolOptions } from './target.ts'

/** What of a client the driver does not declare. */
interface Connected extends EventEmitter {
  readonly processID: number | null
  readonly connection: { readonly stream: EventEmitter }
}

export function connectPostgres(options: PoolOptions, governance: Governance): Connector {
  const { most, name, ...governed } = governance
  const pool = createPool({ ...options, ...governed, max: most, application_name: name })
  return {
    connect: async () => {
      const client = await pool.connect()
      const connected = client as unknown as Connected
      const session: Session = {
        engine: 'postgresql',
        loginId: connected.processID ?? undefined,
        ended: endOf(connected, connected.connection.stream),
        run: async (statement) => (await client.query<Row>(statement)).rows,
        release: () => client.release(),
        discard: () => client.release(true),
      }
      return session
    },
    census: () => pool.leasehold.census(),
    stats: () => pool.leasehold.stats(),
    end: () => pool.end(),
  }
}
