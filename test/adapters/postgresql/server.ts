// PostgreSQL for one file of tests.
import { startPostgres } from '@leasehold/test-databases'
import pg from 'pg'

import { type OpenBare, serverUnderTest, type ServerUnderTest } from '../server.ts'

export function postgresUnderTest(maxConnections = 12): ServerUnderTest {
  return serverUnderTest(() => startPostgres({ maxConnections }), openBare)
}

const openBare: OpenBare = async (target) => {
  const client = new pg.Client({ ...target })
  client.on('error', () => {})
  try {
    await client.connect()
    return client
  } catch (error) {
    if ((error as { code?: string }).code === '53300') return undefined
    throw error
  }
}

/** Ends the pools that a test left open. Waits for none: a test that failed may still hold a client. */
export function endAll(pools: pg.Pool[]): void {
  for (const pool of pools.splice(0)) if (!pool.ending) void pool.end()
}

/** As the freezing of an environment does: nothing runs, and what arrives meanwhile lies in the socket. */
export function freeze(durationMs: number): void {
  const startMs = performance.now()
  while (performance.now() - startMs < durationMs);
}
