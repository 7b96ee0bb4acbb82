// The servers of a scenario: started once for all its runs, with as many slots as it says.
import {
  type DatabaseServer,
  type Pgbouncer,
  startMariadb,
  startMysql,
  startPgbouncer,
  startPostgres,
} from '@leasehold/test-databases'

import { type Counters, openCounters, POSTGRES_SETTINGS } from './counters.ts'
import type { EngineName } from './result.ts'

/** `superuser_reserved_connections`, as it comes and as RDS has it. */
const RESERVED = 3

export interface World {
  readonly server: DatabaseServer
  readonly counters: Counters
  readonly maxConnections: number
  /** Started for one run, so that each begins without connections. */
  startPooler(): Promise<Pgbouncer>
  dispose(): Promise<void>
}

export async function startWorld(engine: EngineName, slots: number): Promise<World> {
  const [server, maxConnections] = await startServer(engine, slots)
  try {
    if (server.slots !== slots) throw new Error(`the server has ${server.slots} slots instead of ${slots}`)
    const counters = await openCounters(server)
    return {
      server,
      counters,
      maxConnections,
      startPooler: () => startPooler(server),
      dispose: async () => {
        await counters.close()
        await server.dispose()
      },
    }
  } catch (error) {
    await server.dispose()
    throw error
  }
}

async function startServer(engine: EngineName, slots: number): Promise<[DatabaseServer, number]> {
  switch (engine) {
    case 'postgresql': {
      const maxConnections = slots + RESERVED
      return [await startPostgres({ maxConnections, settings: POSTGRES_SETTINGS }), maxConnections]
    }
    case 'mariadb':
      return [await startMariadb({ maxConnections: slots }), slots]
    case 'mysql':
      // One is held by the administrator's own session.
      return [await startMysql({ maxConnections: slots + 1 }), slots + 1]
  }
}

/** May have all the server's slots, and as many clients as there are; logins by SCRAM, as on the server itself. */
function startPooler(server: DatabaseServer): Promise<Pgbouncer> {
  return startPgbouncer(server, {
    default_pool_size: `${server.slots}`,
    max_client_conn: '1000',
    auth_type: 'scram-sha-256',
  })
}
