// A client in the application's hands outlives its lease, on the oldest driver too.
import type pg from 'pg'
import { afterEach, describe, expect, it } from 'vitest'

import { eventually } from '../eventually.ts'
import { DRIVERS } from './drivers.ts'
import { endAll, postgresUnderTest } from './server.ts'

describe.each(DRIVERS)('a client that the application holds, with %s', (_name, { Pool }) => {
  const under = postgresUnderTest()
  const pools: pg.Pool[] = []
  afterEach(() => endAll(pools))

  it('outlives its lease, because the lease is renewed', async () => {
    const pool = new Pool({ ...under.target, minLeaseMs: 1_000, maxLeaseMs: 1_000 })
    pools.push(pool)
    const client = await pool.connect()
    await eventually('the lease is renewed', () => pool.leasehold.stats().renewed >= 3)
    expect((await client.query('select 7 as n')).rows).toEqual([{ n: 7 }])
    client.release()
  })
})
