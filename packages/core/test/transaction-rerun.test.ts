import { describe, expect, it } from 'vitest'

import { FakeServerError } from '../src/testing/fake-errors.ts'
import { transaction } from '../src/testing/transaction.ts'
import { start } from './fake-pool-scene.ts'
import { rejectionOf } from './scene.ts'

describe('a transaction that lost a race', () => {
  it('runs again, whole, from BEGIN', async () => {
    const { server, pool, clock } = start()
    let runs = 0
    const result = transaction(pool, async (client) => {
      runs += 1
      await client.query('insert 1')
      if (runs === 1) server.failNext('FAKE_DEADLOCK')
      await client.query('insert 2')
      return runs
    })
    await clock.advance(10)
    expect(await result).toBe(2)
    expect(server.committed).toEqual(['insert 1', 'insert 2'])
    expect(pool.leasehold.stats().rerun).toBe(1)
  })

  it('at COMMIT runs again too', async () => {
    const { server, pool, clock } = start()
    let runs = 0
    const result = transaction(pool, async (client) => {
      await client.query('insert 1')
      runs += 1
      if (runs === 1) server.failNext('FAKE_DEADLOCK')
    })
    await clock.advance(10)
    await result
    expect(server.committed).toEqual(['insert 1'])
  })

  it('runs again where a library wrapped the error in one of its own', async () => {
    const { server, pool, clock } = start()
    let runs = 0
    const result = transaction(pool, async (client) => {
      runs += 1
      if (runs > 1) return runs
      server.failNext('FAKE_DEADLOCK')
      await client.query('insert 1').catch((cause: unknown) => {
        throw new Error('query failed', { cause })
      })
      return 0
    })
    await clock.advance(10)
    expect(await result).toBe(2)
  })

  it('runs as often as its retries say, then rejects with the last error', async () => {
    const { server, pool, clock } = start()
    let runs = 0
    const work = async (): Promise<never> => {
      runs += 1
      throw new FakeServerError('FAKE_DEADLOCK', 'again')
    }
    const rejected = rejectionOf(transaction(pool, work, { retries: 2 }))
    await clock.advance(1_000)
    expect(await rejected).toMatchObject({ code: 'FAKE_DEADLOCK' })
    expect(runs).toBe(3)
    await rejectionOf(transaction(pool, work, { retries: 0 }))
    expect(runs).toBe(4)
    expect(server.statements.filter((text) => text === 'rollback')).toHaveLength(4)
  })

  it('begins no further run after its time is over', async () => {
    const { pool, clock } = start()
    let runs = 0
    const work = async (): Promise<never> => {
      runs += 1
      throw new FakeServerError('FAKE_DEADLOCK', 'again')
    }
    const rejected = rejectionOf(transaction(pool, work, { retries: 100, timeoutMs: 100 }))
    await clock.advance(100)
    expect(await rejected).toMatchObject({ code: 'FAKE_DEADLOCK' })
    // Pauses of 10, 20 and 40 ms fit, one of 80 does not.
    expect(runs).toBe(4)
  })

  it('begins no further run that the invocation has no time for, whatever its own limit', async () => {
    const { pool, clock } = start()
    pool.leasehold.enter({ awsRequestId: 'one', getRemainingTimeInMillis: () => 520 })
    let runs = 0
    const work = async (): Promise<never> => {
      runs += 1
      throw new FakeServerError('FAKE_DEADLOCK', 'again')
    }
    const rejected = rejectionOf(transaction(pool, work, { timeoutMs: 60_000 }))
    await clock.advance(20)
    await rejected
    expect(runs).toBe(2)
  })
})
