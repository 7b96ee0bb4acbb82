// Two accounts of 100 on a real server, and governed pools to move money between them.
import type { GovernedPool, PoolOptions, transaction } from '@leasehold/mysql-adapter'
import { type Relay, startRelay } from '@leasehold/test-databases'
import type mysql2 from 'mysql2'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'

import { quietLog } from '../quiet-log.ts'
import type { DRIVERS } from './drivers.ts'
import { endAll, type MysqlUnderTest } from './server.ts'

/** What the function of a transaction is given. */
export type Inside = Parameters<Parameters<typeof transaction>[1]>[0]

export interface Accounts {
  /** In front of the server; a pool takes it by its `port`. */
  readonly relay: Relay
  open(options?: PoolOptions): GovernedPool
  /** As the administrator sees them: what is committed. */
  balances(): Promise<number[]>
  add(connection: Inside, id: number, amount: number): Promise<unknown>
}

/** To be called where the tests are described. */
export function accountsOn(under: MysqlUnderTest, driver: (typeof DRIVERS)[number][1]): Accounts {
  const pools: mysql2.Pool[] = []
  let relay: Relay
  const table = (): string => `${under.target.database}.accounts`

  beforeAll(async () => {
    relay = await startRelay(under.server)
    await under.server.admin(`drop table if exists ${table()}`)
    await under.server.admin(`create table ${table()} (id int primary key, balance int)`)
  })
  beforeEach(async () => {
    await under.server.admin(`truncate ${table()}`)
    await under.server.admin(`insert into ${table()} values (1, 100), (2, 100)`)
  })
  afterEach(() => endAll(pools))
  afterAll(() => relay.close())

  return {
    get relay() {
      return relay
    },
    open: (options = {}) => {
      const pool = driver.createPool({
        ...under.target,
        connectionLimit: 2,
        censusEveryMs: 600_000,
        logger: quietLog(),
        ...options,
      })
      pools.push(pool)
      return pool
    },
    balances: async () => {
      const rows = await under.server.admin(`select balance from ${table()} order by id`)
      return rows.map((row) => Number(row['balance']))
    },
    add: (connection, id, amount) =>
      connection.query('update accounts set balance = balance + ? where id = ?', [amount, id]),
  }
}
