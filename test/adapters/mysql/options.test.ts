// Options: ours never reach the driver, the driver's reach it unchanged, and no secret is printed.
import { inspect } from 'node:util'

import { createPool, govern, type GovernedPool } from '@leasehold/mysql-adapter'
import mysql2 from 'mysql2'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { eventually, rejection } from '../eventually.ts'
import { quietLog } from '../quiet-log.ts'
import { endAll, onEveryServer } from './server.ts'

const OURS = {
  fleet: 'shop',
  minLeaseMs: 1_000,
  maxLeaseMs: 60_000,
  connectTimeoutMs: 1_000,
  backoff: { baseMs: 10 },
} as const

await onEveryServer((under) => {
  const pools: mysql2.Pool[] = []
  const keep = (pool: GovernedPool): GovernedPool => {
    pools.push(pool)
    return pool
  }
  afterEach(() => endAll(pools))

  const uri = (query = ''): string => {
    const { user, password, host, port, database } = under.target
    return `mysql://${user}:${password}@${host}:${port}/${database}${query}`
  }
  const configOf = (pool: GovernedPool): Record<string, unknown> & { connectionConfig: object } =>
    (pool as unknown as { config: Record<string, unknown> & { connectionConfig: object } }).config

  describe('options', () => {
    const printed: unknown[] = []
    beforeEach(() => {
      printed.length = 0
      for (const level of ['error', 'warn', 'log'] as const) {
        vi.spyOn(console, level).mockImplementation((...args) => printed.push(...args))
      }
    })
    afterEach(() => vi.restoreAllMocks())

    it('of ours are not complained about by the driver', async () => {
      const pool = keep(createPool({ ...under.target, ...OURS, logger: quietLog() }))
      await pool.promise().query('select 1')
      const connection = govern(mysql2).createConnection({ ...under.target, ...OURS, logger: quietLog() })
      await connection.promise().query('select 1')
      await connection.promise().end()
      expect(printed).toEqual([])
    })

    it('of ours are not in what the driver keeps', () => {
      const config = configOf(keep(createPool({ ...under.target, ...OURS })))
      for (const name of Object.keys(OURS)) {
        expect(config).not.toHaveProperty(name)
        expect(config.connectionConfig).not.toHaveProperty(name)
      }
    })

    it('of the caller stay as they are', async () => {
      const options = Object.freeze({
        ...under.target,
        ...OURS,
        connectAttributes: Object.freeze({ team: 'a' }),
      })
      const before = structuredClone(options)
      await keep(createPool(options)).promise().query('select 1')
      expect(options).toEqual(before)
    })

    it('may be a connection string', async () => {
      const pool = keep(createPool(uri()))
      const [rows] = await pool.promise().query('select database() as v')
      expect(rows).toEqual([{ v: under.target.database }])
    })

    it('may be a connection string with pool options of the driver and options of ours in it', async () => {
      const pool = keep(createPool(uri('?connectionLimit=1&waitForConnections=false&maxLeaseMs=60000')))
      const held = await pool.promise().getConnection()
      const error = await rejection(pool.promise().query('select 1'))
      expect(error.message).toBe('No connections available.')
      held.release()
      expect(printed).toEqual([])
    })

    it('may be an object with a uri', async () => {
      const pool = keep(createPool({ uri: uri(), connectionLimit: 1, ...OURS, logger: quietLog() }))
      expect((await pool.promise().query('select 1 as v'))[0]).toEqual([{ v: 1 }])
      expect(printed).toEqual([])
    })

    it('may hide the password from printing', async () => {
      const options = { ...under.target }
      Object.defineProperty(options, 'password', { enumerable: false })
      const pool = keep(createPool(options))
      expect((await pool.promise().query('select 1 as v'))[0]).toEqual([{ v: 1 }])
    })

    it('may be undefined, as libraries leave them', async () => {
      const unset = { connectTimeout: undefined, connectionLimit: undefined, acquireTimeout: undefined }
      const pool = keep(
        createPool({ ...under.target, ...unset } as unknown as Parameters<typeof createPool>[0]),
      )
      expect((await pool.promise().query('select 1 as v'))[0]).toEqual([{ v: 1 }])
    })

    it('keep connection attributes of the application beside our label', async () => {
      const pool = keep(createPool({ ...under.target, connectAttributes: { team: 'a' } }))
      const connection = await pool.promise().getConnection()
      const { config } = connection.connection as unknown as {
        config: { connectAttributes: Record<string, string> }
      }
      expect(config.connectAttributes).toMatchObject({
        team: 'a',
        leasehold: expect.stringMatching(/^lh:leasehold:/),
      })
      connection.release()
    })

    it('keep namedPlaceholders, array rows and a type cast to the queries of the application', async () => {
      const pool = keep(
        createPool({
          ...under.target,
          ...OURS,
          namedPlaceholders: true,
          rowsAsArray: true,
          typeCast: (field, next) => (field.type === 'LONGLONG' ? 'cast' : next()),
          logger: quietLog(),
        }),
      )
      const [rows] = await pool.promise().query('select :v as v, 9000000000 as n', { v: 'x' })
      expect(rows).toEqual([['x', 'cast']])
      await eventually('a census', () => pool.leasehold.stats().censuses > 0)
      expect(pool.leasehold.stats().leaseRefused).toBe(0)
    })
  })

  describe('the password', () => {
    it('is not printed with a pool in use', async () => {
      const pool = keep(createPool({ ...under.target }))
      await pool.promise().query('select 1')
      expect(inspect(pool, { depth: 4 })).not.toContain(under.target.password)
    })

    it('is not printed with a connection', async () => {
      const pool = keep(createPool({ ...under.target }))
      const connection = await pool.promise().getConnection()
      expect(inspect(connection.connection, { depth: 4 })).not.toContain(under.target.password)
      connection.release()
    })

    it('is not printed with a connection of a governed module', async () => {
      const connection = govern(mysql2).createConnection({ ...under.target })
      await connection.promise().query('select 1')
      // Ours is asked between the two.
      await connection.promise().query('select 2')
      expect(inspect(connection, { depth: 4 })).not.toContain(under.target.password)
      await connection.promise().end()
    })

    it('is not printed with the error of a connection string that is none', () => {
      let error: unknown
      try {
        createPool(`mysql//app:${under.target.password}@there`)
      } catch (caught) {
        error = caught
      }
      expect(error).toMatchObject({ code: 'INVALID_OPTIONS' })
      expect(inspect(error)).not.toContain(under.target.password)
    })

    it('is there for a library that copies the config of a connection', async () => {
      const pool = keep(createPool({ ...under.target }))
      const connection = await pool.promise().getConnection()
      expect({ ...connection.connection.config }).toMatchObject({ password: under.target.password })
      connection.release()
    })

    it('is not printed with the error of a refused login', async () => {
      const pool = keep(createPool({ ...under.target, password: 'not-the-password' }))
      const error = await rejection(pool.promise().query('select 1'))
      expect(inspect(error, { depth: Number.POSITIVE_INFINITY })).not.toContain('not-the-password')
    })
  })
})
