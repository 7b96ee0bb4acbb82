// The governed module: what it is made of, and its connections outside a pool. And connections over TLS.
import { createPool, govern } from '@leasehold/mysql-adapter'
import mysql2 from 'mysql2'
import { describe, expect, it } from 'vitest'

import { eventually, rejection } from '../eventually.ts'
import { onEveryServer } from './server.ts'

const governed = govern(mysql2)
const SHORT = { minLeaseMs: 1_000, maxLeaseMs: 1_000 }

await onEveryServer((under) => {
  describe('a governed module', () => {
    it('has the exports of the driver, with governed factories', () => {
      expect(Object.keys(governed).toSorted()).toEqual(Object.keys(mysql2).toSorted())
      expect(governed.createPool).not.toBe(mysql2.createPool)
      expect(governed.format).toBe(mysql2.format)
      // The driver has two names for it.
      expect(governed).toMatchObject({ connect: governed.createConnection })
    })

    it('has a createPool that governs', async () => {
      const pool = governed.createPool({ ...under.target, connectionLimit: 1 })
      expect((await pool.promise().query('select 1 as v'))[0]).toEqual([{ v: 1 }])
      expect(pool.leasehold.stats().opened).toBe(1)
      await pool.promise().end()
    })

    it('has a createConnection that makes genuine connections with a lease', async () => {
      const connection = governed.createConnection({ ...under.target, maxLeaseMs: 60_000 })
      expect(connection).toBeInstanceOf((mysql2 as unknown as { Connection: new () => unknown }).Connection)
      await connection.promise().query('select 1')
      const [rows] = await connection.promise().query('select @@session.wait_timeout as v')
      expect(rows).toEqual([{ v: 60 }])
      await connection.promise().end()
    })

    it('renews the lease of a connection for as long as it is open', async () => {
      const connection = governed.createConnection({ ...under.target, ...SHORT })
      await connection.promise().query('select 1')
      const openedMs = performance.now()
      await eventually('the lease would be over', () => performance.now() - openedMs > 2_200)
      expect((await connection.promise().query('select 1 as v'))[0]).toEqual([{ v: 1 }])
      await connection.promise().end()
    })

    it('has a createConnection that takes a connection string', async () => {
      const { user, password, host, port, database } = under.target
      const connection = governed.createConnection(`mysql://${user}:${password}@${host}:${port}/${database}`)
      expect((await connection.promise().query('select 1 as v'))[0]).toEqual([{ v: 1 }])
      await connection.promise().end()
    })

    it('has a createConnection that takes options which hide the password from printing', async () => {
      const options = { ...under.target }
      Object.defineProperty(options, 'password', { enumerable: false })
      const connection = governed.createConnection(options)
      expect((await connection.promise().query('select 1 as v'))[0]).toEqual([{ v: 1 }])
      await connection.promise().end()
    })

    it("surfaces a refused connect as the driver's own error", async () => {
      const connection = governed.createConnection({ ...under.target, password: 'wrong' })
      const error = await new Promise((resolve) => {
        connection.connect(resolve)
      })
      expect(error).toMatchObject({ errno: 1045 })
    })

    it("fails a query by the driver's own error when the connect is refused", async () => {
      const connection = governed.createConnection({ ...under.target, password: 'wrong' })
      const error = await rejection(connection.promise().query('select 1'))
      expect(error).toMatchObject({ errno: 1045 })
    })

    it('never lets the end of an idle connection be an uncaught exception', async () => {
      const connection = governed.createConnection({ ...under.target })
      await connection.promise().query('select 1')
      let over = false
      connection.once('end', () => (over = true))
      await under.server.terminate(connection.threadId)
      await eventually('the connection sees its end', () => over)
    })
  })

  describe.each(under.tls)('over TLS', (ssl) => {
    it('counts every answer as activity, so that a connection in use needs no ping', async () => {
      const options = { connectionLimit: 1, lease: 'off', pingAfterIdleMs: 300 } as const
      const pool = createPool({ ...under.target, ...options, ssl })
      for (let turn = 0; turn < 5; turn += 1) {
        await pool.promise().query('select 1 from (select sleep(0.1)) as s')
      }
      expect(pool.leasehold.stats()).toMatchObject({ opened: 1, reused: 4, pinged: 0 })
      await pool.promise().end()
    })

    it('replaces an idle connection that was killed', async () => {
      const pool = createPool({ ...under.target, connectionLimit: 1, ssl, pingAfterIdleMs: 0 })
      const connection = await pool.promise().getConnection()
      connection.release()
      await under.server.terminate(connection.threadId)
      expect((await pool.promise().query('select 1 as v'))[0]).toEqual([{ v: 1 }])
      await pool.promise().end()
    })

    it('renews the lease of a held connection', async () => {
      const pool = createPool({ ...under.target, connectionLimit: 1, ssl, ...SHORT })
      const connection = await pool.promise().getConnection()
      await eventually('it is renewed', () => pool.leasehold.stats().renewed > 1)
      expect((await connection.query('select 1 as v'))[0]).toEqual([{ v: 1 }])
      connection.release()
      await pool.promise().end()
    })
  })
})
