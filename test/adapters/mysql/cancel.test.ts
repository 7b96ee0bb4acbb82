// Statements that are stopped: on the server too, and no other statement with them.
import { connect } from 'node:net'

import { failureDetails, type GovernedPool, LeaseholdError, type PoolOptions } from '@leasehold/mysql-adapter'
import { startRelay } from '@leasehold/test-databases'
import type mysql2 from 'mysql2'
import { afterEach, describe, expect, it } from 'vitest'

import { eventually, rejection } from '../eventually.ts'
import { quietLog } from '../quiet-log.ts'
import { DRIVERS } from './drivers.ts'
import { endAll, onEveryServer } from './server.ts'

/** Not `sleep`, which a server may end with a result. */
const LONG =
  'select count(*) from information_schema.columns a, information_schema.columns b, information_schema.columns c'

await onEveryServer((under) => {
  describe.each(DRIVERS)('stopping a statement, with %s', (_name, driver) => {
    const pools: mysql2.Pool[] = []
    const open = (options: PoolOptions = {}): GovernedPool => {
      const pool = driver.createPool({ ...under.target, connectionLimit: 1, logger: quietLog(), ...options })
      pools.push(pool)
      return pool
    }
    const runningCount = async (): Promise<number> =>
      (await under.server.sessions()).filter(({ idle }) => !idle).length
    const isRunning = (): Promise<void> => eventually('it runs', async () => (await runningCount()) > 0)
    const nothingRuns = (): Promise<void> =>
      eventually('nothing runs', async () => (await runningCount()) === 0)
    afterEach(() => endAll(pools))

    it.each(['query', 'execute'] as const)(
      'at its own limit rejects with QUERY_TIMEOUT and stops it on the server: %s of a pool',
      async (method) => {
        const pool = open()
        const error = await rejection(pool.promise()[method]({ sql: LONG, queryTimeoutMs: 200 }))
        expect(LeaseholdError.is(error)).toBe(true)
        expect(error).toMatchObject({ code: 'QUERY_TIMEOUT', cause: { errno: 1317 } })
        expect(failureDetails(error)).toMatchObject({ statementMayHaveRun: false })
        expect(pool.leasehold.stats()).toMatchObject({ cancelled: 1, opened: 1 })
        await nothingRuns()
        expect((await pool.promise().query('select 7 as n'))[0]).toEqual([{ n: 7 }])
        expect(pool.leasehold.stats().opened).toBe(1)
      },
    )

    it('keeps a connection out of the pool while a statement that the driver gave up on runs', async () => {
      const pool = open()
      pool.leasehold.enter({ awsRequestId: 'one', getRemainingTimeInMillis: () => 60_000 })
      const free = (pool as unknown as { _freeConnections: { length: number } })._freeConnections
      const error = await rejection(pool.promise().query({ sql: 'select sleep(1)', timeout: 100 }))
      expect(error).toMatchObject({ code: 'PROTOCOL_SEQUENCE_TIMEOUT' })
      expect(free.length).toBe(0)
      expect((await pool.promise().query('select 7 as n'))[0]).toEqual([{ n: 7 }])
      expect(free.length).toBe(1)
    })

    it.each(['query', 'execute'] as const)(
      'on a connection that the application holds leaves the connection usable: %s',
      async (method) => {
        const held = await open().promise().getConnection()
        const stopped = rejection(held[method]({ sql: LONG, queryTimeoutMs: 200 }))
        const behind = held.query('select 7 as n')
        expect(await stopped).toMatchObject({ code: 'QUERY_TIMEOUT' })
        expect((await behind)[0]).toEqual([{ n: 7 }])
        expect((await held.execute('select 8 as n'))[0]).toEqual([{ n: 8 }])
        held.release()
      },
    )

    it("at the pool's limit does the same, in callback style too", async () => {
      const pool = open({ queryTimeoutMs: 200 })
      const [error] = await new Promise<unknown[]>((resolve) => {
        pool.query(LONG, (...args) => resolve(args))
      })
      expect(error).toMatchObject({ code: 'QUERY_TIMEOUT' })
      await nothingRuns()
    })

    it("leaves one alone that has no limit where the pool's is shorter", async () => {
      const pool = open({ queryTimeoutMs: 50 })
      const [rows] = await pool.promise().query({ sql: 'select sleep(0.3) as n', queryTimeoutMs: 0 })
      expect(rows).toEqual([{ n: 0 }])
    })

    it('answers in time as if there were no limit, fields and all', async () => {
      const [rows, fields] = await open({ queryTimeoutMs: 5_000 }).promise().query('select ? as n', [7])
      expect(rows).toEqual([{ n: 7 }])
      expect(fields).toMatchObject([{ name: 'n' }])
    })

    it('passes on what the driver refuses to send', async () => {
      const pool = open({ queryTimeoutMs: 5_000 })
      const error = await rejection(pool.promise().execute('select ?', [undefined]))
      expect(error.message).toContain('must not contain undefined')
      expect((await pool.promise().query('select 7 as n'))[0]).toEqual([{ n: 7 }])
    })

    it('rejects with the reason of its signal', async () => {
      const pool = open()
      const stop = new AbortController()
      const asked = rejection(pool.promise().query({ sql: LONG, signal: stop.signal }))
      await isRunning()
      const reason = new Error('enough')
      stop.abort(reason)
      expect(await asked).toBe(reason)
      await nothingRuns()
      expect((await pool.promise().query('select 7 as n'))[0]).toEqual([{ n: 7 }])
      expect(pool.leasehold.stats().opened).toBe(1)
    })

    it('never sends one whose signal has aborted, or aborts while it waits for a connection', async () => {
      const pool = open()
      const reason = new Error('enough')
      const sql = 'create table never_made (id int)'
      expect(await rejection(pool.promise().query({ sql, signal: AbortSignal.abort(reason) }))).toBe(reason)
      const held = await pool.promise().getConnection()
      const stop = new AbortController()
      const waiting = rejection(pool.promise().query({ sql, signal: stop.signal }))
      stop.abort(reason)
      expect(await waiting).toBe(reason)
      // On a connection, behind another statement.
      const ahead = held.query('select sleep(0.3)')
      const behind = rejection(held.query({ sql, signal: AbortSignal.timeout(50) }))
      expect((await behind).name).toBe('TimeoutError')
      await ahead
      held.release()
      expect(await rejection(pool.promise().query('select * from never_made'))).toMatchObject({ errno: 1146 })
    })

    it('stops a statement at the end of the invocation', async () => {
      const pool = open()
      pool.leasehold.enter({ awsRequestId: '1', getRemainingTimeInMillis: () => 800 })
      expect(await rejection(pool.promise().query(LONG))).toMatchObject({ code: 'QUERY_TIMEOUT' })
      await nothingRuns()
    })

    it('works while the pool is full, and again and again hits no other statement', async () => {
      const pool = open({ connectionLimit: 2 })
      const other = await pool.promise().getConnection()
      for (let turn = 0; turn < 30; turn += 1) {
        const limited = pool
          .promise()
          .query({ sql: `select sleep(${0.001 * (turn % 7)})`, queryTimeoutMs: 1 + (turn % 5) })
        await limited.catch((error: unknown) => expect(error).toMatchObject({ code: 'QUERY_TIMEOUT' }))
        // Neither ends early nor fails: `sleep` says 1 where it was interrupted.
        expect((await pool.promise().query('select sleep(0.01) as n'))[0]).toEqual([{ n: 0 }])
      }
      expect((await other.query('select 7 as n'))[0]).toEqual([{ n: 7 }])
      other.release()
      expect(pool.leasehold.stats().cancelled).toBeGreaterThan(0)
    })

    it('lets nothing follow on the session while the server may yet be told', async () => {
      const blocker = await open().promise().getConnection()
      await blocker.query(`select get_lock('held', 0)`)
      const delivered = Promise.withResolvers<void>()
      // The statement ends by itself while the word to stop it is still on its way.
      const deliverLate = async (deliver: () => void): Promise<void> => {
        await blocker.query(`select release_lock('held')`)
        setTimeout(() => {
          deliver()
          delivered.resolve()
        }, 200)
      }
      const slow = open({
        stream: () => {
          const socket = connect(under.target.port, under.target.host)
          const write: (data: Uint8Array) => boolean = socket.write.bind(socket)
          socket.write = (data: Uint8Array) => {
            if (!Buffer.from(data).includes('kill query')) return write(data)
            void deliverLate(() => write(data))
            return true
          }
          return socket
        },
      })
      const held = await slow.promise().getConnection()
      const limited = held.query({ sql: `select get_lock('held', 30) as n`, queryTimeoutMs: 50 })
      const behind = held.query('select sleep(0.5) as n')
      expect((await limited)[0]).toEqual([{ n: 1 }])
      await delivered.promise
      expect((await behind)[0]).toEqual([{ n: 0 }])
      held.release()
      blocker.release()
    })

    for (const ssl of under.tls) {
      it('asks over TLS where the session has it', async () => {
        const pool = open({ ssl })
        const error = await rejection(pool.promise().query({ sql: LONG, queryTimeoutMs: 200 }))
        expect(error).toMatchObject({ code: 'QUERY_TIMEOUT', cause: { errno: 1317 } })
      })
    }

    it('cuts the connection where the server has no slot left to ask it on, and says so', async () => {
      const pool = open()
      await pool.promise().query('select 1')
      const free = await under.fill()
      const error = await rejection(pool.promise().query({ sql: LONG, queryTimeoutMs: 100 }))
      expect(error).toMatchObject({ code: 'QUERY_TIMEOUT', message: expect.stringContaining('cut') })
      expect(failureDetails(error)).toMatchObject({ statementMayHaveRun: true })
      await free()
      for (const { id, idle } of await under.server.sessions()) if (!idle) await under.server.terminate(id)
      expect((await pool.promise().query('select 7 as n'))[0]).toEqual([{ n: 7 }])
    })

    it('cuts the connection where nobody answers any more, and fails what waits behind', async () => {
      const relay = await startRelay(under.server)
      const held = await open({ port: relay.port }).promise().getConnection()
      relay.blackhole()
      const stopped = rejection(held.query({ sql: 'select 1', queryTimeoutMs: 100 }))
      const behind = rejection(held.query('select 2'))
      expect(failureDetails(await stopped)).toMatchObject({ statementMayHaveRun: true })
      expect((await behind).code).toBe('PROTOCOL_CONNECTION_LOST')
      held.release()
      await relay.close()
    })

    it("leaves the driver's own `timeout` what it is", async () => {
      const pool = open()
      const error = await rejection(pool.promise().query({ sql: 'select sleep(0.4)', timeout: 100 }))
      expect(error.code).toBe('PROTOCOL_SEQUENCE_TIMEOUT')
      expect((await pool.promise().query('select 7 as n'))[0]).toEqual([{ n: 7 }])
      expect(pool.leasehold.stats()).toMatchObject({ opened: 1, cancelled: 0 })
    })

    it('refuses a limit that is none', async () => {
      const pool = open()
      const ask = (options: object): Promise<Error> =>
        rejection((async () => pool.promise().query({ sql: 'select 1', ...options }))())
      expect(await ask({ queryTimeoutMs: -1 })).toMatchObject({ code: 'INVALID_OPTIONS' })
      expect(await ask({ signal: 'soon' })).toMatchObject({ code: 'INVALID_OPTIONS' })
    })
  })
})
