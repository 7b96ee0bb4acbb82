// Several invocations in one thread, as on Managed Instances: what becomes of the one that is out of time.
import type { GovernedPool } from '@leasehold/mysql-adapter'
import type mysql2 from 'mysql2'
import { afterEach, beforeEach, describe, it, vi } from 'vitest'

import { eventually } from '../eventually.ts'
import { quietLog } from '../quiet-log.ts'
import { DRIVERS } from './drivers.ts'
import { endAll, onEveryServer } from './server.ts'

const SHORT_MS = 1_200

await onEveryServer((under) => {
  describe.each(DRIVERS)('an invocation that is out of time, with %s', (_name, driver) => {
    const pools: mysql2.Pool[] = []
    let pool: GovernedPool

    beforeEach(() => {
      vi.stubEnv('AWS_LAMBDA_FUNCTION_NAME', 'shop')
      vi.stubEnv('AWS_LAMBDA_MAX_CONCURRENCY', '64')
      pool = driver.createPool({ ...under.target, connectionLimit: 1, logger: quietLog() })
      pools.push(pool)
    })
    afterEach(async () => {
      vi.unstubAllEnvs()
      endAll(pools)
      await eventually('no session is left', async () => (await under.server.sessions()).length === 0)
    })

    async function invoke<T>(handler: () => Promise<T>): Promise<T> {
      await new Promise((resolve) => setImmediate(resolve))
      pool.leasehold.enter({ awsRequestId: 'late', getRemainingTimeInMillis: () => SHORT_MS })
      return handler()
    }

    it('has its stream stopped, though nobody listens for the error', async () => {
      await invoke(async () => {
        const rows = pool.query('select sleep(0.05) from information_schema.columns').stream()
        await new Promise((resolve) => rows.on('data', resolve))
      })
      await eventually('it is reclaimed', () => pool.leasehold.stats().reclaimed === 1)
    })
  })
})
