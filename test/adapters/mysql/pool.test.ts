// A governed pool is the driver's own callback pool: every style of use that it has, and its limits.
import { createPool, type GovernedPool, LeaseholdError } from '@leasehold/mysql-adapter'
import mysql2, { type PoolConnection, type RowDataPacket } from 'mysql2'
import { afterEach, describe, expect, it } from 'vitest'

import { eventually, rejection } from '../eventually.ts'
import { quietLog } from '../quiet-log.ts'
import { endAll, onEveryServer } from './server.ts'

type Options = Exclude<Parameters<typeof createPool>[0], string>

await onEveryServer((under) => {
  const pools: mysql2.Pool[] = []
  const open = (options: Options = {}): GovernedPool => {
    const pool = createPool({ ...under.target, logger: quietLog(), ...options })
    pools.push(pool)
    return pool
  }
  afterEach(() => endAll(pools))

  const connect = (pool: mysql2.Pool): Promise<PoolConnection> =>
    new Promise((resolve, reject) => {
      pool.getConnection((error, connection) => (error ? reject(error) : resolve(connection)))
    })

  describe('a governed pool', () => {
    it('is an instance of the Pool that the application imports', () => {
      expect(open()).toBeInstanceOf((mysql2 as unknown as { Pool: new () => unknown }).Pool)
    })

    it('answers query and execute by callback', async () => {
      const pool = open()
      const rows: unknown[] = []
      await new Promise<void>((resolve) => {
        pool.query('select ? as v', [1], (_error, result) => {
          rows.push(result)
          pool.execute('select ? as v', ['2'], (_again, prepared) => {
            rows.push(prepared)
            resolve()
          })
        })
      })
      expect(rows).toEqual([[{ v: 1 }], [{ v: '2' }]])
    })

    it('answers query and execute of its promise pool', async () => {
      const pool = open().promise()
      expect((await pool.query('select 1 as v'))[0]).toEqual([{ v: 1 }])
      expect((await pool.execute('select ? as v', ['2']))[0]).toEqual([{ v: '2' }])
    })

    it('tells of each connection that its end closes, in use or idle', async () => {
      const closed: number[] = []
      const hooks = { onClose: ({ connection }: { connection: number }) => void closed.push(connection) }
      const pool = open({ connectionLimit: 2, hooks })
      const [held, idle] = await Promise.all([connect(pool), connect(pool)])
      idle.release()
      await pool.promise().end()
      held.release()
      await eventually('both are told of', () => closed.length === 2)
      expect(new Set(closed)).toEqual(new Set([1, 2]))
    })

    it('hands out genuine connections that are the same at every checkout', async () => {
      const pool = open({ connectionLimit: 1 })
      const first = await connect(pool)
      first.release()
      const second = await connect(pool)
      expect(second).toBe(first)
      expect(second.threadId).toEqual(expect.any(Number))
      expect(second.promise()).toHaveProperty('beginTransaction')
      second.release()
    })

    it('streams rows from a connection and from the pool', async () => {
      const pool = open()
      const sql = 'select 1 as v union all select 2 union all select 3'
      const connection = await connect(pool)
      const streams = [connection.query(sql).stream(), pool.query(sql).stream()]
      for (const stream of streams) {
        expect(((await stream.toArray()) as RowDataPacket[]).map((row) => Number(row['v']))).toEqual([
          1, 2, 3,
        ])
      }
      connection.release()
    })

    it('emits the events of the driver, in its order', async () => {
      const told: string[][] = []
      const bare = mysql2.createPool({ ...under.target, connectionLimit: 1 })
      pools.push(bare)
      for (const pool of [open({ connectionLimit: 1 }), bare]) {
        const story: string[] = []
        told.push(story)
        for (const event of ['connection', 'acquire', 'enqueue', 'release'] as const) {
          pool.on(event as 'acquire', () => story.push(event))
        }
        await Promise.all([pool.promise().query('select 1'), pool.promise().query('select 1')])
        await pool.promise().query('select 1')
        await eventually('all is released', () => story.filter((event) => event === 'release').length === 2)
      }
      expect(told[0]).toEqual(told[1])
    })

    it('ends with a callback, and with a promise', async () => {
      for (const end of ['callback', 'promise']) {
        const pool = open()
        await pool.promise().query('select 1')
        if (end === 'promise') await pool.promise().end()
        else await new Promise<void>((resolve, reject) => pool.end((e) => (e ? reject(e) : resolve())))
        expect((await rejection(connect(pool))).message).toBe('Pool is closed.')
      }
    })

    it('calls back from end while a connection is being opened', async () => {
      const pool = open()
      const asked = rejection(connect(pool))
      await pool.promise().end()
      expect((await asked).message).toBe('Pool is closed.')
      await eventually('no session is left', async () => (await under.server.sessions()).length === 0)
    })

    it('calls back from end between the handshake and the lease of a connection', async () => {
      const pool = open()
      const ended = new Promise<void>((resolve) => {
        pool.once('connection', () => resolve(pool.promise().end()))
      })
      const asked = rejection(connect(pool))
      await ended
      expect((await asked).message).toBe('Pool is closed.')
      await eventually('no session is left', async () => (await under.server.sessions()).length === 0)
    })

    it('calls back from end while a request waits for a slot', async () => {
      await under.fill()
      const pool = open()
      const asked = rejection(connect(pool))
      await eventually('it was refused', () => pool.leasehold.stats().refused > 0)
      await pool.promise().end()
      expect((await asked).message).toBe('Pool is closed.')
    })

    it('refuses at once when it is full and does not wait for connections', async () => {
      const pool = open({ connectionLimit: 1, waitForConnections: false })
      const held = await connect(pool)
      expect((await rejection(connect(pool))).message).toBe('No connections available.')
      held.release()
      ;(await connect(pool)).release()
    })

    it('replaces a dead connection although it does not wait for connections', async () => {
      const pool = open({ connectionLimit: 1, waitForConnections: false, pingAfterIdleMs: 0 })
      const first = await connect(pool)
      first.release()
      await under.server.terminate(first.threadId)
      const second = await connect(pool)
      expect(second.threadId).not.toBe(first.threadId)
      second.release()
    })

    it('refuses the request beyond queueLimit', async () => {
      const pool = open({ connectionLimit: 1, queueLimit: 1 })
      const held = await connect(pool)
      const waiting = connect(pool)
      expect((await rejection(connect(pool))).message).toBe('Queue limit reached.')
      held.release()
      ;(await waiting).release()
    })

    it('lets a request that waited too long no longer count against queueLimit', async () => {
      const pool = open({ connectionLimit: 1, queueLimit: 1, acquireTimeoutMs: 50 })
      const held = await connect(pool)
      const error = await rejection(connect(pool))
      expect(LeaseholdError.is(error) && error.code).toBe('ACQUIRE_TIMEOUT')
      const waiting = connect(pool)
      held.release()
      ;(await waiting).release()
    })

    it('serves waiting requests in the order they came', async () => {
      const pool = open({ connectionLimit: 1 })
      const order: number[] = []
      await Promise.all(
        [1, 2, 3, 4].map(async (turn) => {
          const connection = await connect(pool)
          order.push(turn)
          connection.release()
        }),
      )
      expect(order).toEqual([1, 2, 3, 4])
    })

    it('renews the lease of a connection that was handed on from one request to the next', async () => {
      const pool = open({ connectionLimit: 1, minLeaseMs: 1_000, maxLeaseMs: 1_000 })
      const first = await connect(pool)
      const waiting = connect(pool)
      first.release()
      const second = await waiting
      await eventually('its lease is renewed', () => pool.leasehold.stats().renewed > 1)
      expect((await second.promise().query('select 1 as v'))[0]).toEqual([{ v: 1 }])
      second.release()
    })

    it('counts every answer as activity, so that a connection in use needs no ping', async () => {
      const pool = open({ connectionLimit: 1, lease: 'off', pingAfterIdleMs: 300 })
      for (let turn = 0; turn < 5; turn += 1) {
        await pool.promise().query('select 1 from (select sleep(0.1)) as s')
      }
      expect(pool.leasehold.stats()).toMatchObject({ opened: 1, reused: 4, pinged: 0 })
    })

    it('forgives a connection that is released twice, as the driver does', async () => {
      const pool = open({ connectionLimit: 1 })
      const connection = await connect(pool)
      connection.release()
      connection.release()
      const [first, second] = [connect(pool), connect(pool)]
      ;(await first).release()
      ;(await second).release()
      expect(pool.leasehold.stats().opened).toBe(1)
    })

    it('opens another connection when one is destroyed by its user', async () => {
      const pool = open({ connectionLimit: 1 })
      const first = await connect(pool)
      const waiting = connect(pool)
      first.destroy()
      const second = await waiting
      expect(second.threadId).not.toBe(first.threadId)
      second.release()
    })

    it('never lets the end of an idle connection be an uncaught exception', async () => {
      const pool = open({ connectionLimit: 1 })
      const connection = await connect(pool)
      connection.release()
      await under.server.terminate(connection.threadId)
      await eventually('the pool has dropped it', () => pool.leasehold.stats().lost === 1)
    })

    it('answers on a fresh connection when the idle one was killed', async () => {
      const pool = open({ connectionLimit: 1, pingAfterIdleMs: 0 })
      const connection = await connect(pool)
      connection.release()
      await under.server.terminate(connection.threadId)
      expect((await pool.promise().query('select 1 as v'))[0]).toEqual([{ v: 1 }])
    })
  })
})
