import { describe, expect, it } from 'vitest'

import { isInTransaction, runNested } from '../src/savepoint.ts'
import type { FakeClient } from '../src/testing/fake-client.ts'
import { transaction } from '../src/testing/transaction.ts'
import { start } from './fake-pool-scene.ts'
import { rejectionOf } from './scene.ts'

const fail = async (client: FakeClient, text: string): Promise<never> => {
  await client.query(text)
  throw new Error('changed my mind')
}

describe('a transaction inside a transaction', () => {
  it('is a savepoint, released when it succeeds', async () => {
    const { server, pool } = start()
    await transaction(pool, async (client) => {
      await client.query('insert 1')
      const inner = await transaction(client, async () => {
        await client.query('insert 2')
        return 'inner'
      })
      expect(inner).toBe('inner')
    })
    expect(server.statements).toEqual([
      'begin',
      'insert 1',
      'savepoint leasehold_1',
      'insert 2',
      'release savepoint leasehold_1',
      'commit',
    ])
    expect(server.committed).toEqual(['insert 1', 'insert 2'])
  })

  it('that fails undoes what was done inside it, and no more', async () => {
    const { server, pool } = start()
    await transaction(pool, async (client) => {
      await client.query('insert 1')
      await transaction(client, () => fail(client, 'insert 2')).catch(() => undefined)
      await client.query('insert 3')
    })
    expect(server.committed).toEqual(['insert 1', 'insert 3'])
  })

  it('may have others inside, to any depth, one after another', async () => {
    const { server, pool } = start()
    await transaction(pool, async (client) => {
      await transaction(client, async () => {
        await client.query('insert 1')
        await transaction(client, () => fail(client, 'insert 2')).catch(() => undefined)
        await transaction(client, () => client.query('insert 3'))
      })
      await transaction(client, () => client.query('insert 4'))
    })
    expect(server.committed).toEqual(['insert 1', 'insert 3', 'insert 4'])
  })

  it('undoes a statement that the server refused, so that the rest goes on', async () => {
    const { server, pool } = start()
    await transaction(pool, async (client) => {
      await client.query('insert 1')
      await transaction(client, async () => {
        server.failNext('FAKE_STATEMENT_FAILED')
        await client.query('insert 2')
      }).catch(() => undefined)
      await client.query('insert 3')
    })
    expect(server.committed).toEqual(['insert 1', 'insert 3'])
  })

  it('beside another one is refused before anything of it is sent, and undoes nobody’s work', async () => {
    const { server, pool, clock } = start()
    let refused: unknown
    const result = transaction(pool, async (client) => {
      const first = transaction(client, async () => {
        await client.query('sleep 10')
        await client.query('insert 1')
      })
      refused = await rejectionOf(transaction(client, () => fail(client, 'insert 2')))
      await first
    })
    await clock.advance(10)
    await result
    expect(refused).toMatchObject({ code: 'TRANSACTION_ABORTED' })
    expect(server.committed).toEqual(['insert 1'])
  })

  it('of one connection may hold a transaction of another connection, and that one’s savepoints', async () => {
    const { server, pool } = start({ max: 2 })
    await transaction(pool, async (one) => {
      await transaction(one, () =>
        transaction(pool, (other) =>
          transaction(other, async () => {
            await transaction(one, () => one.query('insert 1'))
            await other.query('insert 2')
          }),
        ),
      )
    })
    expect(server.committed).toEqual(['insert 2', 'insert 1'])
  })

  it('that is not waited for lets nothing be committed, and sends nothing any more', async () => {
    const { server, pool, clock } = start()
    let late: Promise<unknown> = Promise.resolve()
    const rejected = rejectionOf(
      transaction(pool, async (client) => {
        await client.query('insert 1')
        late = rejectionOf(transaction(client, () => clock.sleep(50)))
        await clock.sleep(10)
      }),
    )
    await clock.advance(10)
    expect(await rejected).toMatchObject({ code: 'TRANSACTION_ABORTED' })
    const { length } = server.statements
    await clock.advance(40)
    expect(await late).toMatchObject({ code: 'TRANSACTION_ABORTED' })
    expect(server.statements).toHaveLength(length)
    expect(server.committed).toEqual([])
  })

  it('whose savepoint can’t be gone back to lets nothing be committed, though its error is caught', async () => {
    const { server, pool } = start()
    const error = await rejectionOf(
      transaction(pool, async (client) => {
        await client.query('insert 1')
        await transaction(client, async () => {
          await client.query('insert 2')
          server.failNext('FAKE_STATEMENT_FAILED')
          throw new Error('changed my mind')
        }).catch(() => undefined)
      }),
    )
    expect(error).toMatchObject({ message: 'changed my mind' })
    expect(server.committed).toEqual([])
  })

  it('goes back to no savepoint where the server has rolled back the whole already', async () => {
    const { pool } = start()
    const ran: string[] = []
    const doom = new Error('deadlock')
    await transaction(pool, async (client) => {
      const hands = {
        run: async (_client: FakeClient, statement: string) => void ran.push(statement),
        doom: () => doom,
      }
      await rejectionOf(runNested(hands, client, () => Promise.reject(doom)))
    })
    expect(ran).toEqual(['savepoint leasehold_1'])
  })

  it('has no options of its own: they belong to the outermost', async () => {
    const { pool } = start()
    await transaction(pool, async (client) => {
      const { signal } = new AbortController()
      const nested = transaction(client, async () => undefined, { isolation: 'serializable', signal })
      const error = await rejectionOf(nested)
      expect(error).toMatchObject({ code: 'INVALID_OPTIONS' })
      expect((error as Error).message).toContain('`isolation` belongs to the outermost')
      expect((error as Error).message).toContain('`signal` belongs to the outermost')
    })
  })

  it('is refused when the one around it has ended', async () => {
    const { pool } = start()
    const client = await transaction(pool, async (inside) => {
      expect(isInTransaction(inside)).toBe(true)
      return inside
    })
    expect(isInTransaction(client)).toBe(false)
    const hands = { run: async () => undefined, doom: () => undefined }
    const error = await rejectionOf(runNested(hands, client, async () => undefined))
    expect(error).toMatchObject({ code: 'TRANSACTION_ABORTED' })
  })
})
