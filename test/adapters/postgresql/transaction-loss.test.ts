// Transactions whose connection is lost or cut: nothing stays, and the doubt is told.
import { failureDetails, transaction } from '@leasehold/pg-adapter'
import { describe, expect, it } from 'vitest'

import { eventually, rejection } from '../eventually.ts'
import { accountsUnderTest, add, idOf } from './accounts.ts'
import { DRIVERS } from './drivers.ts'

describe.each(DRIVERS)('a transaction that is cut short, with %s', (_name, driver) => {
  const accounts = accountsUnderTest(driver)

  it('leaves nothing when its session is killed in the middle, and is not run again', async () => {
    const pool = accounts.open()
    const runs: number[] = []
    const error = await rejection(
      transaction(pool, async (client) => {
        runs.push(1)
        await add(client, 1, -30)
        await accounts.under.server.terminate(await idOf(client))
        await add(client, 2, 30)
      }),
    )
    expect(failureDetails(error)).toMatchObject({ kind: 'lost', statementMayHaveRun: false })
    expect(await accounts.balances()).toEqual([100, 100])
    expect(runs).toHaveLength(1)
    expect(pool.totalCount).toBe(0)
  })

  it('says that its outcome is unknown when the reply to COMMIT was lost', async () => {
    const pool = accounts.open({ port: accounts.relay.port })
    await pool.query('select 1')
    await eventually('the first census', () => pool.leasehold.stats().censuses > 0)
    const error = await rejection(
      transaction(pool, async (client) => {
        await add(client, 1, -30)
        accounts.relay.dropReplies()
      }),
    )
    expect(failureDetails(error)).toMatchObject({ commitOutcome: 'unknown', statementMayHaveRun: true })
    expect(await accounts.balances()).toEqual([70, 100])
    expect(pool.totalCount).toBe(0)
  })

  it('keeps the first error and destroys the connection when it cannot roll back', async () => {
    const pool = accounts.open()
    const mine = new Error('no')
    const error = await rejection(
      transaction(pool, async (client) => {
        await add(client, 1, -30)
        await accounts.under.server.terminate(await idOf(client))
        throw mine
      }),
    )
    expect(error).toBe(mine)
    expect(pool.totalCount).toBe(0)
    expect(await accounts.balances()).toEqual([100, 100])
  })

  it('is cancelled on the server and rolled back when its signal aborts', async () => {
    const pool = accounts.open()
    const stop = new AbortController()
    const reason = new Error('no longer wanted')
    const asked = rejection(
      transaction(
        pool,
        async (client) => {
          await add(client, 1, -30)
          await client.query('select pg_sleep(30)')
        },
        { signal: stop.signal },
      ),
    )
    await eventually('it runs', async () =>
      (await accounts.under.server.sessions()).some(({ idle }) => !idle),
    )
    stop.abort(reason)
    expect(await asked).toBe(reason)
    await eventually('its session is gone', async () => (await accounts.under.server.sessions()).length === 0)
    expect(await accounts.balances()).toEqual([100, 100])
    expect(pool.totalCount).toBe(0)
  })
})
