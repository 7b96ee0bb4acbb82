// The foundation's promise at fleet size, in real environments that are frozen between two requests.
import { type DatabaseServer, startMariadb, startPostgres } from '@leasehold/test-databases'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { eventually } from '../conformance/subject.ts'
import { deployFleet, runFleet } from './fleet.ts'

const SERVERS = { PostgreSQL: startPostgres, MariaDB: startMariadb }

describe.each(Object.entries(SERVERS))('a fleet on %s', (_name, start) => {
  let server: DatabaseServer

  beforeAll(async () => {
    server = await start({ maxConnections: 15 })
  })
  afterAll(async () => {
    await server.dispose()
  })

  it('answers every request of twice as many environments as there are slots', async () => {
    await using fleet = deployFleet('twice', server)
    const run = await runFleet(fleet, 2 * server.slots, 4_000)
    expect(run.failures).toEqual([])
    expect(run.answered).toBeGreaterThan(100)
  })

  it('has no session left of environments that were taken away, once their leases lapsed', async () => {
    await using fleet = deployFleet('gone', server, { minLeaseMs: 1_000, maxLeaseMs: 2_000 })
    await runFleet(fleet, 6, 1_000)
    expect(await server.sessions()).not.toHaveLength(0)
    for (const environment of fleet.environments) environment.vanish()
    await eventually('no session left', async () => (await server.sessions()).length === 0)
  })

  it('lets a second function in, when the sessions of a frozen one lapse', async () => {
    await using first = deployFleet('first', server, { minLeaseMs: 1_000, maxLeaseMs: 3_000 })
    await runFleet(first, server.slots, 1_000)
    await using second = deployFleet('second', server)
    const run = await runFleet(second, 6, 2_000)
    expect(run.failures).toEqual([])
    expect(run.answered).toBeGreaterThan(50)
  })
})
