// The public face of serverless-mysql, member by member and option by option.
import { inspect } from 'node:util'

import serverlessMysql from '@leasehold/mysql-adapter/serverless-mysql'
import mysql2 from 'mysql2'
import oldest from 'mysql2-3.12'
import { describe, expect, it, vi } from 'vitest'

import { rejection } from '../eventually.ts'
import { endSession, scenes } from './clients.ts'
import { listener } from './listener.ts'

await scenes((scene) => {
  describe('a serverless client', () => {
    it('connects by itself at the first query, and resolves to the rows alone', async () => {
      const db = scene().make()
      expect(db.getClient()).toBeNull()
      expect(await db.query('select ? as v', [1])).toEqual([{ v: 1 }])
      expect(db.getClient()?.threadId).toEqual(expect.any(Number))
    })

    it('takes a statement as text, as text and values, as an object, and one value that is no list', async () => {
      const db = scene().make()
      expect(await db.query('select 1 as v')).toEqual([{ v: 1 }])
      expect(await db.query({ sql: 'select ? as v', values: [2] })).toEqual([{ v: 2 }])
      expect(await db.query({ sql: 'select ? as v' }, [3])).toEqual([{ v: 3 }])
      expect(await db.query('select ? as v', 4)).toEqual([{ v: 4 }])
      expect(await db.query({ sql: 'select 1 as a, 2 as a', rowsAsArray: true })).toEqual([[1, 2]])
    })

    it('tells what a statement without rows did', async () => {
      const db = scene().make()
      expect(await db.query("insert into marks (mark) values ('a')")).toMatchObject({ affectedRows: 1 })
    })

    it('keeps one connection, counts the invocations on it, and forgets both at quit', async () => {
      const onClose = listener()
      const db = scene().make({ onClose })
      await db.connect()
      const client = db.getClient()
      expect(db.getCounter()).toBe(0)
      for (const count of [1, 2]) {
        await Promise.all([db.query('select 1'), db.query('select 2')])
        await db.end()
        expect(db.getCounter()).toBe(count)
      }
      expect(db.getClient()).toBe(client)
      db.quit()
      expect([db.getClient(), db.getCounter(), onClose.mock.calls.length]).toEqual([null, 0, 1])
      db.quit()
      expect(onClose).toHaveBeenCalledTimes(1)
      expect(await db.query('select 1 as v')).toEqual([{ v: 1 }])
    })

    it('lets what runs come to its end at quit', async () => {
      const db = scene().make()
      const asked = [db.query('select sleep(0.1) as v'), db.query('select 2 as v')]
      db.quit()
      expect(await Promise.all(asked)).toEqual([[{ v: 0 }], [{ v: 2 }]])
    })

    it('does not count where connections are not managed', async () => {
      const db = scene().make({ manageConns: false })
      await db.query('select 1')
      await db.end()
      expect(db.getCounter()).toBe(0)
    })

    it('has the driver’s escape, escapeId and format', () => {
      const { escape, escapeId, format } = scene().make()
      expect([escape("it's"), escapeId('a`b'), format('? ??', [1, 'x'])]).toEqual([
        "'it\\'s'",
        '`a``b`',
        '1 `x`',
      ])
    })

    it('merges configuration, whose live object it returns, for connections to come', async () => {
      const here = scene()
      const db = here.make()
      await db.connect()
      const config = db.config({ database: 'tenant_b' })
      expect(config).toBe(db.getConfig())
      expect(await db.query('select database() as d')).toEqual([{ d: 'app' }])
      await endSession(here, db)
      expect(await db.query('select database() as d')).toEqual([{ d: 'tenant_b' }])
    })

    it('connects with the newest password, and keeps its session for it', async () => {
      const { make, under } = scene()
      const login = await under.server.createLogin()
      const db = make({}, login)
      await db.connect()
      const { threadId } = db.getClient() as unknown as { threadId: number }
      await under.server.setPassword(login.user, 'next one')
      db.config({ password: 'next one' })
      await db.query('select 1')
      expect(db.getClient()?.threadId).toBe(threadId)
      db.quit()
      expect(await db.query('select 1 as v')).toEqual([{ v: 1 }])
    })

    it('reads a connection string, percent signs and all, in both places', async () => {
      const { under } = scene()
      const login = await under.server.createLogin()
      await under.server.setPassword(login.user, 'p@ss:w%rd/')
      const { host, port, database } = under.target
      const uri = `mysql://${login.user}:${encodeURIComponent('p@ss:w%rd/')}@${host}:${port}/${database}?multipleStatements=true`
      for (const db of [serverlessMysql(uri), serverlessMysql({ config: uri })]) {
        expect(await db.query('select 1 as v; select 2 as v')).toEqual([[{ v: 1 }], [{ v: 2 }]])
        expect(db.getConfig()).toMatchObject({
          host,
          port,
          database,
          user: login.user,
          password: 'p@ss:w%rd/',
        })
        db.quit()
      }
    })

    it('logs in with what a source of credentials gives', async () => {
      const { make, under } = scene()
      const { password } = under.target
      const db = make(
        {},
        {
          password: 'of no use',
          credentials: { isClearText: false, get: async () => ({ user: undefined, password }) },
        },
      )
      expect(await db.query('select 1 as v')).toEqual([{ v: 1 }])
    })

    it('prints its configuration without the password, which it still has', () => {
      const { make, under } = scene()
      const config = make().getConfig()
      expect(config.password).toBe(under.target.password)
      expect(inspect(config) + JSON.stringify(config)).not.toContain(under.target.password)
    })

    it('uses the driver that it is given', async () => {
      const createPool = vi.fn<typeof mysql2.createPool>(mysql2.createPool)
      const db = scene().make({ library: { ...mysql2, createPool } as typeof mysql2 })
      await db.query('select 1')
      expect(createPool).toHaveBeenCalledTimes(1)
    })

    it('hands out the governed pool underneath', async () => {
      const db = scene().make()
      await db.query('select 1')
      expect(db.getPool().leasehold.stats()).toMatchObject({ opened: 1 })
    })
  })

  describe('changeUser', () => {
    it('resolves to true, and leaves the server its lease', async () => {
      const db = scene().make()
      expect(await db.changeUser({ database: 'tenant_b' })).toBe(true)
      const [row] = await db.query<{ d: string; t: number }[]>('select database() as d, @@wait_timeout as t')
      expect(row?.d).toBe('tenant_b')
      expect(Number(row?.t)).toBeLessThanOrEqual(300)
    })

    it('rejects, and stays who it was, where the server refuses', async () => {
      const db = scene().make()
      await db.changeUser({ database: 'tenant_b' })
      expect((await rejection(db.changeUser({ database: 'mysql' }))).code).toMatch(/^ER_.*DENIED/)
      expect(await db.query('select database() as d')).toEqual([{ d: 'tenant_b' }])
    })

    it('readies the session again, which the server has reset', async () => {
      const onSession = (session: { query(sql: string): Promise<unknown> }): Promise<unknown> =>
        session.query('set @zone = 7')
      const db = scene().make({}, { onSession })
      await db.changeUser({ database: 'tenant_b' })
      expect(await db.query('select @zone as z')).toEqual([{ z: 7 }])
    })

    it('leaves nothing behind in the oldest driver, whose connections share their configuration', async () => {
      const here = scene()
      const db = here.make({ library: oldest as unknown as typeof mysql2 })
      await db.changeUser({ database: 'tenant_b' })
      await rejection(db.changeUser({ database: 'mysql' }))
      expect(await db.query('select database() as d')).toEqual([{ d: 'tenant_b' }])
      await endSession(here, db)
      expect(await db.query('select database() as d')).toEqual([{ d: 'tenant_b' }])
      db.quit()
      expect(await db.query('select database() as d')).toEqual([{ d: 'app' }])
      db.config({ database: 'tenant_b' })
      await endSession(here, db)
      expect(await db.query('select database() as d')).toEqual([{ d: 'tenant_b' }])
      expect(await db.transaction().query('select 1 as v').commit()).toEqual([[{ v: 1 }]])
    })

    it('ends with quit', async () => {
      const db = scene().make()
      await db.changeUser({ database: 'tenant_b' })
      db.quit()
      expect(await db.query('select database() as d')).toEqual([{ d: 'app' }])
    })

    it('refuses more than one connection', async () => {
      const db = scene().make({}, { connectionLimit: 2 })
      expect((await rejection(db.changeUser({ database: 'tenant_b' }))).code).toBe('INVALID_OPTIONS')
    })
  })

  describe('returnFinalSqlQuery', () => {
    it('hides the text on rows, and shows it on other results and on errors', async () => {
      const db = scene().make({ returnFinalSqlQuery: true })
      const rows = await db.query<unknown[] & { sql?: string }>('select ? as v', ['x'])
      expect([rows.sql, Object.keys(rows)]).toEqual(["select 'x' as v", ['0']])
      const header = await db.query<object>('insert into marks (mark) values (?)', ['a'])
      expect(Object.entries(header)).toContainEqual(['sql', "insert into marks (mark) values ('a')"])
      const error = await rejection(db.query('select ? from nowhere', [1]))
      expect(error).toMatchObject({ code: 'ER_NO_SUCH_TABLE', sql: 'select 1 from nowhere' })
    })
  })

  describe('options', () => {
    it('are checked at once, and so is a configuration', () => {
      expect(() => serverlessMysql({ base: -1 })).toThrow('`base` must be a whole number')
      expect(() => serverlessMysql({ config: { maxLeaseMs: 1 } })).toThrow('`maxLeaseMs`')
      expect(() => serverlessMysql('no url')).toThrow('the connection string is not a URL')
      expect(() => serverlessMysql({ library: {} as typeof mysql2 })).toThrow('this is not `mysql2`')
      expect(() => serverlessMysql().config({ minLeaseMs: 1 })).toThrow('`minLeaseMs`')
    })
  })
})
