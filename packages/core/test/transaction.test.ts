import { describe, expect, it } from 'vitest'

import { failureDetails, LeaseholdError } from '../src/errors.ts'
import { transaction } from '../src/testing/transaction.ts'
import { start } from './fake-pool-scene.ts'
import { rejectionOf } from './scene.ts'

describe('a transaction', () => {
  it('is begun, committed, and resolves to what its function resolved to', async () => {
    const { server, pool } = start()
    const result = await transaction(pool, async (client) => {
      await client.query('insert 1')
      expect(server.committed).toEqual([])
      return 'done'
    })
    expect(result).toBe('done')
    expect(server.statements).toEqual(['begin', 'insert 1', 'commit'])
    expect(server.committed).toEqual(['insert 1'])
    expect(pool.idleCount).toBe(1)
  })

  it('has its isolation level and its access mode from the options', async () => {
    const { server, pool } = start()
    await transaction(pool, async () => undefined, { isolation: 'serializable', readOnly: true })
    expect(server.statements[0]).toBe('begin isolation level serializable read only')
  })

  it('rolls back whatever its function throws, a synchronous throw too', async () => {
    const { server, pool } = start()
    const rejected = rejectionOf(
      transaction(pool, async (client) => {
        await client.query('insert 1')
        throw new Error('changed my mind')
      }),
    )
    expect(await rejected).toMatchObject({ message: 'changed my mind' })
    const thrown = transaction(pool, () => {
      throw new Error('at once')
    })
    expect(await rejectionOf(thrown)).toMatchObject({ message: 'at once' })
    expect(server.statements).toEqual(['begin', 'insert 1', 'rollback', 'begin', 'rollback'])
    expect(server.committed).toEqual([])
    expect(pool.idleCount).toBe(1)
  })

  it('has a connection of its own, whatever runs beside it', async () => {
    const { server, pool } = start({ max: 2 })
    const sessions = await Promise.all(
      [1, 2].map((number) =>
        transaction(pool, async (client) => {
          await client.query(`insert ${number}`)
          return client.session.id
        }),
      ),
    )
    expect(new Set(sessions).size).toBe(2)
    expect(server.committed).toHaveLength(2)
  })

  it('is not committed where the server rolled it back for an error that was caught', async () => {
    const { server, pool } = start()
    const rejected = rejectionOf(
      transaction(pool, async (client) => {
        await client.query('insert 1')
        server.failNext('FAKE_STATEMENT_FAILED')
        await client.query('insert 2').catch(() => undefined)
      }),
    )
    const error = await rejected
    expect(LeaseholdError.is(error) && error.code).toBe('TRANSACTION_ABORTED')
    expect(server.committed).toEqual([])
    // The server has rolled back already.
    expect(server.statements.at(-1)).toBe('commit')
    expect(pool.idleCount).toBe(1)
  })

  it('refuses options that it can’t take, before it takes a connection', async () => {
    const { server, pool } = start()
    const wrong = { isolation: 'chaos', retries: -1, timeoutMs: 0, readOnly: 'yes' } as never
    const error = await rejectionOf(transaction(pool, async () => undefined, wrong))
    expect(error).toMatchObject({ code: 'INVALID_OPTIONS' })
    expect((error as Error).message.split('\n - ')).toHaveLength(5)
    expect(server.sessions).toEqual([])
  })
})

describe('a transaction whose connection is lost', () => {
  it('before COMMIT fails whole, is not run again, and nothing of it stays', async () => {
    const { server, pool } = start()
    let runs = 0
    const error = await rejectionOf(
      transaction(pool, async (client) => {
        runs += 1
        await client.query('insert 1')
        server.cutNext('after')
        await client.query('insert 2')
      }),
    )
    expect(runs).toBe(1)
    expect(error).toMatchObject({ code: 'FAKE_RESET' })
    expect(failureDetails(error)).toMatchObject({ kind: 'lost', statementMayHaveRun: false })
    expect(failureDetails(error)?.commitOutcome).toBeUndefined()
    expect(server.committed).toEqual([])
    expect(pool.totalCount).toBe(0)
  })

  it('before the answer to COMMIT came may have been committed, and says so', async () => {
    const { server, pool } = start()
    const error = await rejectionOf(
      transaction(pool, async (client) => {
        await client.query('insert 1')
        server.cutNext('after')
      }),
    )
    expect(failureDetails(error)).toMatchObject({ statementMayHaveRun: true, commitOutcome: 'unknown' })
    expect(server.committed).toEqual(['insert 1'])
    expect(pool.totalCount).toBe(0)
  })

  it('at COMMIT, which the server proves it did not read, leaves no doubt', async () => {
    const { server, pool } = start()
    const error = await rejectionOf(
      transaction(pool, async (client) => {
        await client.query('insert 1')
        server.failNext('FAKE_LAPSED')
      }),
    )
    expect(failureDetails(error)).toMatchObject({ statementMayHaveRun: false })
    expect(failureDetails(error)?.commitOutcome).toBeUndefined()
    expect(server.committed).toEqual([])
  })

  it('at BEGIN is begun on another one, once', async () => {
    const { server, pool } = start()
    server.cutNext('before')
    let runs = 0
    await transaction(pool, async (client) => {
      runs += 1
      await client.query('insert 1')
    })
    expect(runs).toBe(1)
    expect(server.committed).toEqual(['insert 1'])
    server.cutNext('before')
    server.cutNext('after')
    const error = await rejectionOf(transaction(pool, async () => void (runs += 1)))
    expect(runs).toBe(1)
    expect(failureDetails(error)).toMatchObject({ statementMayHaveRun: false })
    expect(pool.totalCount).toBe(0)
  })

  it('at ROLLBACK is destroyed, and the first error is the one to tell', async () => {
    const { server, pool } = start()
    const error = await rejectionOf(
      transaction(pool, async (client) => {
        await client.query('insert 1')
        server.failNext('FAKE_STATEMENT_FAILED')
        throw new Error('changed my mind')
      }),
    )
    expect(error).toMatchObject({ message: 'changed my mind' })
    expect(pool.totalCount).toBe(0)
    expect(server.committed).toEqual([])
  })
})
