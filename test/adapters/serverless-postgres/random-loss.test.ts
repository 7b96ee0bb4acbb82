// Sessions ended at random under transactions begun by hand: none is there by half, none that was committed is missing.
import ServerlessClient from '@leasehold/pg-adapter/serverless-postgres'
import { afterEach, describe, expect, it } from 'vitest'

import { postgresUnderTest } from '../postgresql/server.ts'
import { quietLog } from '../quiet-log.ts'

describe('a transaction begun by hand', () => {
  const under = postgresUnderTest()
  const clients: ServerlessClient[] = []
  const make = (config: ServerlessClient.Config = {}): ServerlessClient => {
    const client = new ServerlessClient({ ...under.target, ...config })
    clients.push(client)
    return client
  }
  afterEach(() => Promise.all(clients.splice(0).map((client) => client.end())))

  it('is whole or not there at all while sessions are ended at random', async () => {
    const setup = make()
    await setup.query('drop table if exists pairs')
    await setup.query('create table pairs (key int, side text)')
    let endedCount = 0
    const killer = (async () => {
      while (endedCount < 40) {
        const ids = (await under.server.sessions()).map(({ id }) => id)
        const victim = ids[endedCount % ids.length]
        if (victim !== undefined) await under.server.terminate(victim)
        endedCount += 1
      }
    })()
    const committed: number[] = []
    const unknown: number[] = []
    let lostCount = 0
    await Promise.all(
      [0, 1, 2].map(async (worker) => {
        const client = make({ logger: quietLog() })
        for (let key = worker; endedCount < 40; key += 3) {
          try {
            await client.query('BEGIN')
            await client.query('insert into pairs values ($1, $2)', [key, 'left'])
            await client.query('insert into pairs values ($1, $2)', [key, 'right'])
            await client.query('COMMIT')
            committed.push(key)
          } catch (error) {
            lostCount += 1
            if ((error as { leasehold?: { commitOutcome?: string } }).leasehold?.commitOutcome)
              unknown.push(key)
            await client.query('ROLLBACK')
          }
        }
      }),
    )
    await killer
    const { rows } = await make().query<{ key: number; count: number }>(
      'select key, count(*)::int as count from pairs group by key',
    )
    expect(rows.filter(({ count }) => count !== 2)).toEqual([])
    const kept = new Set(rows.map(({ key }) => key))
    expect(committed.filter((key) => !kept.has(key))).toEqual([])
    expect([...kept].filter((key) => !committed.includes(key) && !unknown.includes(key))).toEqual([])
    expect(committed.length).toBeGreaterThan(0)
    expect(lostCount).toBeGreaterThan(0)
  })
})
