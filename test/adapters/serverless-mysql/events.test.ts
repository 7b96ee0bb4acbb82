// Callbacks, retries and errors: what an application hears, and what becomes of its statements.
import { failureDetails } from '@leasehold/mysql-adapter'
import { describe, expect, it, vi } from 'vitest'

import { eventually, rejection } from '../eventually.ts'
import { endSession, fateOf, scenes } from './clients.ts'
import { listener } from './listener.ts'

const DEADLOCK = "signal sqlstate '40001' set mysql_errno = 1213, message_text = 'deadlock'"

await scenes((scene) => {
  describe('callbacks', () => {
    it('hear of a session that is ready, with its connection', async () => {
      const onConnect = listener()
      const db = scene().make({ onConnect })
      await db.query('select 1')
      expect(onConnect.mock.calls).toEqual([[db.getClient()]])
    })

    it('hear of refused connects and of the last one, whose error the caller gets as the driver made it', async () => {
      const { under, make } = scene()
      await under.fill()
      const [onRetry, onConnectError] = [listener(), listener()]
      const db = make({ maxRetries: 2, backoff: (_wait, retries) => retries * 10, onRetry, onConnectError })
      const error = await rejection(db.query('select 1'))
      expect(error).toMatchObject({ code: 'ER_CON_COUNT_ERROR', errno: 1040 })
      expect(onRetry.mock.calls.map(([, ...rest]) => rest)).toEqual([
        [1, 10, 'custom'],
        [2, 20, 'custom'],
      ])
      expect(onConnectError.mock.calls).toEqual([[error]])
      expect(db.getErrorCount()).toBe(3)
      expect(failureDetails(error)).toMatchObject({ kind: 'saturated', attempts: 3 })
    })

    it('hear of a connection that failed, and of none whose lease ran out', async () => {
      const here = scene()
      const onError = listener()
      const db = here.make({ onError, zombieMinTimeout: 1, zombieMaxTimeout: 1 })
      await db.connect()
      // A census that is under way would meet the loss first, and keep it to itself.
      await eventually('slots are counted', () => db.getPool().leasehold.stats().censuses > 0)
      await endSession(here, db)
      await eventually('it was heard', () => onError.mock.calls.length > 0)
      expect(db.getErrorCount()).toBe(1)
      await db.query('select 1')
      const { stream } = db.getClient() as unknown as { stream: { destroyed: boolean } }
      await eventually('the lease ran out', () => stream.destroyed)
      await db.query('select 1')
      expect([onError.mock.calls.length, db.getErrorCount()]).toEqual([1, 1])
    })

    it('may throw: nothing comes of it', async () => {
      const fail = (): never => {
        throw new Error('a callback of the application')
      }
      const db = scene().make({ onConnect: fail, onClose: fail, onQueryRetry: fail, maxQueryRetries: 1 })
      expect(await db.query('select 1 as v')).toEqual([{ v: 1 }])
      expect((await rejection(db.query(DEADLOCK))).code).toBe('ER_LOCK_DEADLOCK')
      expect(() => db.quit()).not.toThrow()
    })
  })

  describe('a statement that was refused for a passing reason', () => {
    it('is not run again unless that is asked for', async () => {
      const onQueryRetry = listener()
      const db = scene().make({ onQueryRetry })
      expect((await rejection(db.query(DEADLOCK))).code).toBe('ER_LOCK_DEADLOCK')
      expect(onQueryRetry).not.toHaveBeenCalled()
    })

    it('is run again as often as that is asked for, with waits that grow', async () => {
      const onQueryRetry = listener()
      const backoff = vi.fn<(waitMs: number, retries: number) => number>(
        (waitMs, retries) => waitMs + retries,
      )
      const db = scene().make({ maxQueryRetries: 3, queryRetryBackoff: backoff, onQueryRetry })
      const error = await rejection(db.query(DEADLOCK))
      expect(error.code).toBe('ER_LOCK_DEADLOCK')
      expect(backoff.mock.calls).toEqual([
        [0, 1],
        [1, 2],
        [3, 3],
      ])
      expect(onQueryRetry.mock.calls.map(([, ...rest]) => rest)).toEqual([
        [1, 1, 'custom'],
        [2, 3, 'custom'],
        [3, 6, 'custom'],
      ])
    })
  })

  describe('a statement whose connection was lost', () => {
    it('is sent again where it says that it may run twice', async () => {
      const { make, relay } = scene()
      const db = make()
      await db.connect()
      relay.dropReplies()
      const upsert = "insert into marks (mark) values ('a') on duplicate key update seq = seq"
      expect(await fateOf(db.query({ sql: upsert, idempotent: true }))).toBe('resolved')
    })

    it('says that it may have run, where it is not sent again', async () => {
      const { make, relay } = scene()
      const db = make()
      await db.connect()
      relay.dropReplies()
      const error = await rejection(db.query("insert into marks (mark) values ('a')"))
      expect(failureDetails(error)?.statementMayHaveRun).toBe(true)
    })

    it("is sent again whatever it is, with replayLost: 'always'", async () => {
      const { under, make, relay } = scene()
      const db = make({ replayLost: 'always' })
      await under.server.admin('create table if not exists app.log (line int)')
      await under.server.admin('delete from app.log')
      await db.connect()
      relay.dropReplies()
      await db.query('insert into log values (1)')
      expect(await under.server.admin('select count(*) as n from app.log')).toEqual([
        { n: expect.anything() },
      ])
      expect(await db.query('select count(*) as n from log')).toEqual([{ n: 2 }])
    })

    it("fails its transaction even with replayLost: 'always'", async () => {
      const { make, relay, marks } = scene()
      const db = make({ replayLost: 'always' })
      const work = db
        .transaction()
        .query("insert into marks (mark) values ('first')")
        .query(() => {
          relay.reset()
          return ["insert into marks (mark) values ('second')"]
        })
        .commit()
      expect(await fateOf(work)).toBe('rejected')
      expect(await marks()).toEqual([])
    })
  })

  describe('a transaction', () => {
    it('resolves to its results, the interim ones given to functions, and [] for a step that sends nothing', async () => {
      const db = scene().make()
      const results = await db
        .transaction()
        .query('insert into marks (mark) values (?)', ['a'])
        .query((last: { affectedRows: number }) => ['select ? as n', [last.affectedRows + 1]])
        .query(() => null)
        .query(() => [])
        .query((_last: unknown, all: unknown[]) => `select ${all.length} as steps`)
        .query({ sql: 'select ? as v', values: [5] })
        .commit()
      expect(results.slice(1)).toEqual([[{ n: 2 }], [], [], [{ steps: 4 }], [{ v: 5 }]])
    })

    it('calls and awaits the rollback function with the error, once all is rolled back', async () => {
      const { make, marks } = scene()
      const db = make()
      const heard: unknown[] = []
      const work = db
        .transaction()
        .query("insert into marks (mark) values ('a')")
        .query('select nonsense')
        .rollback(async (error: Error & { code?: string }) => {
          heard.push(error.code, await marks())
        })
        .commit()
      expect((await rejection(work)).code).toBe('ER_BAD_FIELD_ERROR')
      expect(heard).toEqual(['ER_BAD_FIELD_ERROR', []])
    })

    it('tells of a rollback function that throws, and keeps the first error', async () => {
      const onError = listener()
      const db = scene().make({ onError })
      const thrown = new Error('in the rollback function')
      const work = db
        .transaction()
        .query('select nonsense')
        .rollback(() => {
          throw thrown
        })
        .commit()
      expect((await rejection(work)).code).toBe('ER_BAD_FIELD_ERROR')
      expect(onError.mock.calls).toEqual([[thrown]])
    })

    it('is run again whole after a passing failure, as often as that is asked for', async () => {
      const { make, marks } = scene()
      const onQueryRetry = listener()
      const db = make({ maxQueryRetries: 2, onQueryRetry })
      let runs = 0
      await db
        .transaction()
        .query("insert into marks (mark) values ('a')")
        .query(() => ((runs += 1) < 3 ? [DEADLOCK] : null))
        .commit()
      expect([runs, onQueryRetry.mock.calls.length, await marks()]).toEqual([3, 2, ['a']])
    })
  })

  describe('a transaction made by hand', () => {
    it('commits what it holds', async () => {
      const { make, marks } = scene()
      const db = make()
      await db.query('START TRANSACTION')
      await db.query("insert into marks (mark) values ('a')")
      expect(await marks()).toEqual([])
      await db.query('COMMIT')
      expect(await marks()).toEqual(['a'])
    })

    it('leaves the connection to others when it has ended', async () => {
      const db = scene().make()
      for (const end of ['commit', 'rollback']) {
        await db.query('begin')
        await db.query(end)
        expect(await db.transaction().query('select 1 as v').commit()).toEqual([[{ v: 1 }]])
      }
    })

    it('does not run a statement of it again, which would stand alone', async () => {
      const onQueryRetry = listener()
      const db = scene().make({ maxQueryRetries: 3, onQueryRetry })
      await db.query('begin')
      expect((await rejection(db.query(DEADLOCK))).code).toBe('ER_LOCK_DEADLOCK')
      await db.query('rollback')
      expect(onQueryRetry).not.toHaveBeenCalled()
    })

    it('is rolled back at quit', async () => {
      const { make, marks } = scene()
      const db = make()
      await db.query('begin')
      await db.query("insert into marks (mark) values ('a')")
      db.quit()
      await db.query("insert into marks (mark) values ('b')")
      expect(await marks()).toEqual(['b'])
    })
  })
})
