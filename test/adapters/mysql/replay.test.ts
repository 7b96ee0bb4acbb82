// A statement whose connection was lost: sent again only where that is safe, and the doubt told where it is not.
import { failureDetails, type GovernedPool, type PoolOptions } from '@leasehold/mysql-adapter'
import { type Relay, startRelay } from '@leasehold/test-databases'
import type mysql2 from 'mysql2'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'

import { eventually, rejection } from '../eventually.ts'
import { quietLog } from '../quiet-log.ts'
import { DRIVERS } from './drivers.ts'
import { endAll, freeze, onEveryServer } from './server.ts'

const INSERT = `insert into notes values ('once')`
const UPSERT = `insert ignore into notes values ('once')`

/** Not `sleep`, which a server may end with a result. */
const LONG =
  'select count(*) from information_schema.columns a, information_schema.columns b, information_schema.columns c'

await onEveryServer((under) => {
  describe.each(DRIVERS)('a statement whose connection is lost, with %s', (_name, driver) => {
    const pools: mysql2.Pool[] = []
    let relay: Relay

    const open = (options: PoolOptions = {}): GovernedPool => {
      const pool = driver.createPool({
        ...under.target,
        connectionLimit: 1,
        // No second census: its reply could be the one that is lost.
        censusEveryMs: 600_000,
        logger: quietLog(),
        ...options,
      })
      pools.push(pool)
      return pool
    }
    const openRelayed = async (options: PoolOptions = {}): Promise<GovernedPool> => {
      const pool = open({ port: relay.port, ...options })
      await pool.promise().query('select 1')
      await eventually('the first census', () => pool.leasehold.stats().censuses > 0)
      return pool
    }
    const noteCount = async (): Promise<number> => {
      const rows = await under.server.admin(`select count(*) as n from ${under.target.database}.notes`)
      return Number(rows[0]?.['n'])
    }

    beforeAll(async () => {
      relay = await startRelay(under.server)
      await under.server.admin(`drop table if exists ${under.target.database}.notes`)
      await under.server.admin(`create table ${under.target.database}.notes (text varchar(20) primary key)`)
    })
    beforeEach(async () => {
      await under.server.admin(`truncate ${under.target.database}.notes`)
    })
    afterEach(() => {
      vi.restoreAllMocks()
      endAll(pools)
    })
    afterAll(() => relay.close())

    describe('when the server did the work and the reply was lost', () => {
      it.each(['query', 'execute'] as const)(
        'is not sent again by %s, and its error says that it may have run',
        async (method) => {
          const pool = await openRelayed()
          // So that the first reply of `execute` is not the one to "prepare".
          await pool.promise()[method](INSERT)
          await under.server.admin(`truncate ${under.target.database}.notes`)
          relay.dropReplies()
          const error = await rejection(pool.promise()[method](INSERT))
          expect(failureDetails(error)).toMatchObject({ kind: 'lost', statementMayHaveRun: true })
          expect(await noteCount()).toBe(1)
          expect(pool.leasehold.stats().replayed).toBe(0)
        },
      )

      it.each(['query', 'execute'] as const)('is sent again by %s when it is idempotent', async (method) => {
        const pool = await openRelayed()
        relay.dropReplies()
        const options = { sql: UPSERT, idempotent: true }
        const [result] = await pool.promise()[method]<mysql2.ResultSetHeader>(options)
        expect(result.affectedRows + (method === 'query' ? 1 : 0)).toBe(1)
        expect(await noteCount()).toBe(1)
        expect(pool.leasehold.stats().replayed).toBe(1)
      })

      it('is sent again with its values, in callback style too', async () => {
        const pool = await openRelayed()
        relay.dropReplies()
        const given = await new Promise<unknown[]>((resolve) => {
          pool.query({ sql: 'select ? as n', values: [7], idempotent: true }, (...args) => resolve(args))
        })
        expect(given).toMatchObject([null, [{ n: 7 }], [{ name: 'n' }]])
      })

      it.each(['query', 'execute'] as const)(
        'is sent again by %s as it was given, whatever becomes of its objects meanwhile',
        async (method) => {
          const pool = await openRelayed()
          relay.dropReplies()
          const values = ['once']
          const statement = { sql: 'select ? as t', values, idempotent: true }
          const asked = pool.promise()[method](statement)
          await new Promise(setImmediate)
          values[0] = 'twice'
          Object.assign(statement, { sql: 'insert into notes values (?)', idempotent: false })
          expect((await asked)[0]).toEqual([{ t: 'once' }])
          expect(pool.leasehold.stats().replayed).toBe(1)
          expect(await noteCount()).toBe(0)
        },
      )

      it('is not sent again by a pool that has ended meanwhile, and the doubt is told', async () => {
        const pool = await openRelayed()
        relay.dropReplies()
        const asked = rejection(pool.promise().query({ sql: UPSERT, idempotent: true }))
        await new Promise(setImmediate)
        pool.end(() => {})
        expect(failureDetails(await asked)).toMatchObject({ statementMayHaveRun: true })
        expect(await noteCount()).toBe(1)
      })

      it('calls back once, with the error, in callback style', async () => {
        const pool = await openRelayed()
        relay.dropReplies()
        const given: unknown[][] = []
        pool.query(INSERT, (...args) => given.push(args))
        await eventually('it calls back', () => given.length > 0)
        await pool.promise().query('select 1')
        expect(given).toHaveLength(1)
        expect(failureDetails(given[0]?.[0])).toMatchObject({ statementMayHaveRun: true })
      })

      it('is never sent again on a connection that the application holds, idempotent or not', async () => {
        const pool = await openRelayed()
        const connection = await pool.promise().getConnection()
        relay.dropReplies()
        const error = await rejection(connection.query({ sql: INSERT, idempotent: true }))
        connection.release()
        expect(failureDetails(error)).toMatchObject({ statementMayHaveRun: true })
        expect(await noteCount()).toBe(1)
      })

      it('is never sent again on a connection outside a pool', async () => {
        const connection = driver.createConnection({ ...under.target, port: relay.port, logger: quietLog() })
        await connection.promise().query('select 1')
        // Its lease has been set before this one is answered.
        await connection.promise().query('select 1')
        relay.dropReplies()
        const error = await rejection(connection.promise().query(INSERT))
        expect(failureDetails(error)).toMatchObject({ statementMayHaveRun: true })
        expect(await noteCount()).toBe(1)
      })

      it('is not sent again as a stream, and the stream has the error', async () => {
        const pool = await openRelayed()
        relay.dropReplies()
        const stream = pool.query('select 1').stream()
        expect(failureDetails(await rejection(stream.toArray()))).toMatchObject({ statementMayHaveRun: true })
      })
    })

    describe('when the session was killed under it', () => {
      it('is not sent again, and its error says that it may have run', async () => {
        const pool = open()
        const connection = await pool.promise().getConnection()
        const { threadId } = connection
        connection.release()
        const asked = rejection(pool.promise().query(LONG))
        await eventually('it runs', async () => (await under.server.sessions()).some(({ idle }) => !idle))
        await under.server.terminate(threadId)
        expect(failureDetails(await asked)).toMatchObject({ statementMayHaveRun: true })
        expect((await pool.promise().query('select 7 as n'))[0]).toEqual([{ n: 7 }])
      })

      it('can only fail on a connection that is closed, and its error says that it did not run', async () => {
        const pool = open()
        const connection = await pool.promise().getConnection()
        connection.destroy()
        const error = await rejection(connection.query(INSERT))
        expect(failureDetails(error)).toMatchObject({ statementMayHaveRun: false })
      })

      it('gives the driver’s own answer where the server refuses it', async () => {
        const error = await rejection(open().promise().query('select nonsense'))
        expect(error).toMatchObject({ code: 'ER_BAD_FIELD_ERROR', errno: 1054 })
        expect(failureDetails(error)).toBeUndefined()
      })
    })

    it('is sent again when it is idempotent, until a server that was killed is there again', async () => {
      const pool = open()
      await pool.promise().query('select 1')
      await under.server.kill()
      const asked = pool.promise().query<mysql2.ResultSetHeader>({ sql: UPSERT, idempotent: true })
      await under.server.start()
      expect((await asked)[0].affectedRows).toBe(1)
      expect(await noteCount()).toBe(1)
    })

    it('is sent again silently where the server had ended the session for idling; else the doubt is told', async () => {
      const said = vi.spyOn(console, 'error').mockReturnValue()
      const pool = open({ lease: 'off', pingAfterIdleMs: 900_000 })
      await pool.promise().query('set session wait_timeout = 1')
      // Frozen, this process learns nothing of the end; thawed, it sends before it reads.
      freeze(1_500)
      const answer = pool.promise().query(INSERT)
      if (under.server.engine === 'mysql') {
        expect(await answer).toMatchObject([{ affectedRows: 1 }, undefined])
        expect(pool.leasehold.stats()).toMatchObject({ replayed: 1, opened: 2 })
      } else {
        expect(failureDetails(await rejection(answer))).toMatchObject({ statementMayHaveRun: true })
      }
      expect(said).not.toHaveBeenCalled()
    })
  })
})
