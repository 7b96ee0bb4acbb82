// A Lambda function that leaves things behind: a connection never given back, a transaction never ended.
import { createPool, type PoolOptions } from '@leasehold/pg-adapter'

const pool = createPool({
  ...(JSON.parse(process.env['POOL'] ?? '{}') as PoolOptions),
  logger: { warn: console.log, error: console.log },
})

export interface Wish {
  readonly leave?: 'client' | 'transaction' | 'statement'
  readonly ask?: string
}

export async function handler({ leave, ask }: Wish): Promise<unknown> {
  switch (leave) {
    case 'client': {
      const client = await pool.connect()
      await client.query('begin')
      await client.query('update counters set n = n + 1')
      return undefined
    }
    case 'transaction':
      await pool.query('begin')
      await pool.query('update counters set n = n + 1')
      return undefined
    case 'statement':
      pool.query('select pg_sleep(60)').catch(() => {})
      await new Promise((resolve) => setTimeout(resolve, 300))
      return undefined
    case undefined:
      return { rows: (await pool.query(ask ?? 'select 7 as n')).rows, stats: pool.leasehold.stats() }
  }
}
