// Rows that are read more slowly than the server sends them, on a session with a short lease.
import { setTimeout as sleep } from 'node:timers/promises'

import type mysql2 from 'mysql2'
import { afterEach, describe, expect, it } from 'vitest'

import { eventually } from '../eventually.ts'
import { quietLog } from '../quiet-log.ts'
import { DRIVERS } from './drivers.ts'
import { endAll, onEveryServer } from './server.ts'

/** Few enough to be on their way, all of them, while nobody reads. */
const COUNT = 5_000
const ROWS =
  'with recursive s as (select 0 as n union all select n + 1 from s where n < 99) ' +
  `select a.n, repeat('x', 100) as text from s a, s b limit ${COUNT}`
/** The lease near the server's limit, in seconds. */
const SHORT_SEC = 1

await onEveryServer((under) => {
  describe.each(DRIVERS)('a stream under a short lease, with %s', (_name, driver) => {
    const pools: mysql2.Pool[] = []
    afterEach(() => endAll(pools))

    it('has every row, though its reader pauses for longer, on a pool and on a connection', async () => {
      const free = await under.fill()
      await free(2)
      const pool = driver.createPool({
        ...under.target,
        connectionLimit: 2,
        minLeaseMs: 1_000,
        logger: quietLog(),
      })
      pools.push(pool)
      const lease = async (): Promise<unknown> => {
        const [rows] = await pool.promise().query('select @@session.wait_timeout as seconds')
        return (rows as { readonly seconds: number }[])[0]?.seconds
      }
      const isShort = (): Promise<void> =>
        eventually('leases are short', async () =>
          (await Promise.all([lease(), lease()])).every((seconds) => seconds === SHORT_SEC),
        )
      const read = async (on: unknown): Promise<number> => {
        let count = 0
        for await (const _row of (on as mysql2.Connection).query(ROWS).stream()) {
          count += 1
          if (count === 100) await sleep(2_500 * SHORT_SEC)
        }
        return count
      }
      await isShort()
      const connection = await pool.promise().getConnection()
      expect(await Promise.all([read(pool), read(connection.connection)])).toEqual([COUNT, COUNT])
      connection.release()
      expect(pool.leasehold.stats()).toMatchObject({ lost: 0 })
      await isShort()
    })
  })
})
