// What happens between a recall's look at a session and its end: the owner takes it up, or the reaper is frozen.
import { setTimeout as sleep } from 'node:timers/promises'

import { type RecallAsk, recallTerms } from '@leasehold/core'
import { type GovernedPool, govern } from '@leasehold/mysql-adapter'
import mysql2 from 'mysql2'
import promised from 'mysql2/promise'
import { describe, expect, it } from 'vitest'

import { recallOnMariadb, recallOnMysql } from '../../../packages/mysql-adapter/src/recall.ts'
import { eventually, rejection } from '../eventually.ts'
import { quietLog } from '../quiet-log.ts'
import { onEveryServer } from './server.ts'

const driver = govern(mysql2)

/** The lock of whoever recalls the fleet's sessions. */
const LOCK = `'lh:leasehold:recall'`

/** The statement that a plan wants run next. */
function textOf(step: IteratorResult<string, unknown>): string {
  if (step.done === true) throw new Error('the plan is over')
  return step.value
}

await onEveryServer((under) => {
  const terms = recallTerms(1_000, 1_000)
  const asked: RecallAsk = {
    ...{ fleet: 'leasehold', terms, mostCount: 8, abovePressure: 0, goOn: () => true },
    limit: 'server',
  }
  /** Longer than its function's invocations last, so that nobody has to see transactions. */
  const idleOne = async (): Promise<{ readonly pool: GovernedPool; readonly id: number }> => {
    const options = { ...under.target, connectionLimit: 1, minLeaseMs: 60_000, logger: quietLog() }
    const pool = driver.createPool(options)
    pool.leasehold.enter({ awsRequestId: '1', getRemainingTimeInMillis: () => 1_000 })
    const [rows] = await pool.promise().query<mysql2.RowDataPacket[]>('select connection_id() as id')
    await sleep(5_200)
    return { pool, id: Number(rows[0]?.['id']) }
  }
  const isOpen = async (id: number): Promise<boolean> =>
    (await under.server.sessions()).some((session) => session.id === id)

  describe('between seeing a session and ending it', () => {
    it('the server looks again, or does nothing when it comes late', async () => {
      const asker = await promised.createConnection({ ...under.target })
      const { pool, id } = await idleOne()
      const rowsOf = async (statement: string): Promise<readonly unknown[]> =>
        (await asker.query(statement))[0] as readonly unknown[]
      if (under.server.engine === 'mariadb') {
        const sight = { transactions: false, performanceSchema: undefined }
        const decided = textOf(recallOnMariadb(asked, sight).next())
        const working = pool.promise().query('select sleep(0.5)')
        await eventually('it works', async () => (await under.server.sessions()).some(({ idle }) => !idle))
        expect((await rowsOf(decided))[0]).toEqual([{ ended: 0, alone: 1 }])
        await working
        expect(await isOpen(id)).toBe(true)
      } else {
        const look = async (): Promise<string> => {
          const plan = recallOnMysql(asked, { transactions: false, performanceSchema: true })
          const rows = await rowsOf(textOf(plan.next()))
          expect(rows).toEqual([expect.objectContaining({ id, alone: 1 })])
          return textOf(plan.next(rows))
        }
        const tooLate = await look()
        await sleep(150)
        expect(await rejection(rowsOf(tooLate))).toMatchObject({ errno: 1094 })
        expect(await isOpen(id)).toBe(true)
        await rowsOf(await look())
        await eventually('it is gone', async () => !(await isOpen(id)))
      }
      expect(await rowsOf(`select is_free_lock(${LOCK}) as free`)).toEqual([{ free: 1 }])
      asker.destroy()
      pool.end(() => {})
    })

    it('a lock is respected, but a reaper that was frozen over its own is ended itself', async () => {
      const asker = await promised.createConnection({ ...under.target })
      const { pool, id } = await idleOne()
      await pool.promise().query(`select get_lock(${LOCK}, 0)`)
      await sleep(5_200)
      const sight = { transactions: false, performanceSchema: true }
      const isMariadb = under.server.engine === 'mariadb'
      const plan = isMariadb ? recallOnMariadb(asked, sight) : recallOnMysql(asked, sight)
      const [rows] = await asker.query<mysql2.RowDataPacket[]>(textOf(plan.next()))
      if (isMariadb) {
        // Its lock lasts as long as its statement: who holds it for longer is no reaper.
        expect(rows[0]).toEqual([{ ended: 0, alone: 0 }])
        expect(await isOpen(id)).toBe(true)
      } else {
        expect(rows).toEqual([expect.objectContaining({ id, alone: 0 })])
        await asker.query(textOf(plan.next(rows)))
        await eventually('it is gone', async () => !(await isOpen(id)))
      }
      asker.destroy()
      pool.end(() => {})
    }, 20_000)
  })
})
