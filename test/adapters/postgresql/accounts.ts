// Two accounts with 100 each before every test, for what transactions do to them.
import type { GovernedModule, GovernedPool, PoolOptions } from '@leasehold/pg-adapter'
import { type Relay, startRelay } from '@leasehold/test-databases'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'

import type { ServerUnderTest } from '../server.ts'
import { endAll, postgresUnderTest } from './server.ts'

export interface Accounts {
  readonly under: ServerUnderTest
  /** Between a pool and the server, for pools that are opened on its port. */
  readonly relay: Relay
  /** A pool of two connections, ended after the test. */
  open(options?: PoolOptions): GovernedPool
  /** Both amounts, as the server has them. */
  balances(): Promise<unknown[]>
}

/** To be called where the tests of a file are described. */
export function accountsUnderTest({ Pool }: Pick<GovernedModule<typeof pg>, 'Pool'>): Accounts {
  const under = postgresUnderTest()
  const pools: pg.Pool[] = []
  let relay: Relay | undefined

  beforeAll(async () => {
    relay = await startRelay(under.server)
    const client = new pg.Client({ ...under.target })
    await client.connect()
    await client.query('create table accounts (id int primary key, amount int)')
    await client.end()
  })
  beforeEach(async () => {
    await under.server.admin('truncate accounts; insert into accounts values (1, 100), (2, 100)')
  })
  afterEach(() => endAll(pools))
  afterAll(() => relay?.close())

  return {
    under,
    get relay() {
      if (relay === undefined) throw new Error('the relay is started before the tests, not before')
      return relay
    },
    open: (options = {}) => {
      const pool = new Pool({ ...under.target, max: 2, censusEveryMs: 600_000, ...options })
      pools.push(pool)
      return pool
    },
    balances: async () =>
      (await under.server.admin('select amount from accounts order by id')).map(({ amount }) => amount),
  }
}

export async function idOf(client: pg.ClientBase): Promise<number> {
  return Number((await client.query<{ v: number }>('select pg_backend_pid() as v')).rows[0]?.v)
}

export function add(client: pg.ClientBase, id: number, amount: number): Promise<unknown> {
  return client.query('update accounts set amount = amount + $2 where id = $1', [id, amount])
}
