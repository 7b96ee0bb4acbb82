import { inspect } from 'node:util'

import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'

import { availability } from '../src/index.ts'
import type { DatabaseServer } from '../src/index.ts'
import { openClient } from './clients.ts'
import type { ClientOptions, TestClient } from './clients.ts'

const POLL = { timeout: 10_000, interval: 10 }

for (const { name, engine, available, remedy, start } of await availability()) {
  const isPostgres = engine === 'postgresql'
  const title = available ? name : `${name} (not here: ${remedy})`
  const tooMany = isPostgres ? { code: '53300' } : { errno: 1040 }
  const tooManyOfThisLogin = isPostgres ? { code: '53300' } : { errno: 1226 }
  const shownLabel = (label: string): string | undefined => (engine === 'mariadb' ? undefined : label)
  // MariaDB installs itself, or fails with the remedy.
  describe.skipIf(!available && engine !== 'mariadb')(title, () => {
    let server: DatabaseServer
    const clients = new Set<TestClient>()

    beforeAll(async () => {
      server = await start({ maxConnections: 12 })
    })

    afterAll(() => server.dispose())

    afterEach(async () => {
      for (const session of await server.sessions()) await server.terminate(session.id)
      // PostgreSQL closes the socket when the slot is free again; the others count their connections.
      await Promise.all([...clients].map((client) => client.gone))
      clients.clear()
      await vi.waitFor(async () => {
        expect(await server.sessions()).toEqual([])
        if (isPostgres) return
        const [row] = await server.admin("show global status like 'Threads_connected'")
        expect(Number(row?.['Value'])).toBe(server.controlSessions)
      }, POLL)
    })

    async function open(options?: ClientOptions): Promise<TestClient> {
      const client = await openClient(server, options)
      clients.add(client)
      return client
    }

    it('says what it is', () => {
      expect(server.engine).toBe(engine)
      expect(server.name.startsWith(name)).toBe(true)
      expect(server.version).toMatch(/^\d+(\.\d+)+$/)
    })

    it('gives its login all rights on its own database and no other privilege', async () => {
      const client = await open()
      await client.query('create table mine (id int)')
      await client.query('insert into mine values (1)')
      await client.query('drop table mine')
      if (isPostgres) {
        expect(
          await client.query(`select rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls,
            (select count(*)::int from pg_auth_members where member = r.oid) as roles
            from pg_roles r where rolname = current_user`),
        ).toEqual([
          {
            rolsuper: false,
            rolcreaterole: false,
            rolcreatedb: false,
            rolreplication: false,
            rolbypassrls: false,
            roles: 0,
          },
        ])
      } else {
        const grants = (await client.query('show grants')).map((row) => String(Object.values(row)[0]))
        expect(grants.map((grant) => grant.replace(/ IDENTIFIED BY .*/, ''))).toEqual([
          'GRANT USAGE ON *.* TO `app`@`%`',
          'GRANT ALL PRIVILEGES ON `app`.* TO `app`@`%`',
        ])
      }
    })

    it('opens as many sessions as it has slots, and then still answers its administrator', async () => {
      for (let slot = 1; slot <= server.slots; slot++) await open()
      await expect(open()).rejects.toMatchObject(tooMany)
      expect(await server.admin('select 1 as one')).toEqual([{ one: 1 }])
      await vi.waitFor(async () => expect(await server.sessions()).toHaveLength(server.slots), POLL)
      const [first] = clients
      await first?.end()
      await vi.waitFor(() => open(), POLL)
      await expect(open()).rejects.toMatchObject(tooMany)
    })

    it('lets its administrator in while others storm it', async () => {
      for (let slot = 1; slot <= server.slots; slot++) await open()
      const ids = (await server.sessions()).map((session) => session.id)
      const calm = new AbortController()
      let refusals = 0
      const storm = Array.from({ length: 10 }, async () => {
        while (!calm.signal.aborted) await openClient(server).catch(() => refusals++)
      })
      try {
        for (let call = 0; call < 20; call++) {
          const seen = (await server.sessions()).map((session) => session.id)
          expect(seen).toEqual(expect.arrayContaining(ids))
        }
      } finally {
        calm.abort()
        await Promise.all(storm)
      }
      expect(refusals).toBeGreaterThan(0)
    })

    it('shows a census the sessions and the slots, and its own control sessions', async () => {
      const client = await open()
      await open()
      const [census] = await client.query(
        isPostgres
          ? `select sum(numbackends)::int as used, current_setting('max_connections')::int
              - current_setting('superuser_reserved_connections')::int
              - coalesce(current_setting('reserved_connections', true)::int, 0) as places
              from pg_stat_database`
          : `select cast(variable_value as signed) as used, @@max_connections as places
              from ${engine === 'mysql' ? 'performance_schema' : 'information_schema'}.global_status
              where variable_name = 'Threads_connected'`,
      )
      const { slots, controlSessions } = server
      expect(census).toEqual({ used: 2 + controlSessions, places: slots + controlSessions })
    })

    it('shows who is there, what they do, and whether a transaction is open', async () => {
      const other = await server.createLogin()
      await server.admin('create table seen (id int)')
      await server.admin(`grant select, insert on seen to ${server.login.user}`)
      const idle = await open({ label: 'the idle one' })
      const busy = await open({ label: 'the busy one' })
      const inTransaction = await open({ label: 'in a transaction' })
      await open({ login: other })
      await idle.query('select 1')
      const sleeping = busy.query(isPostgres ? 'select pg_sleep(600)' : 'select sleep(600)')
      sleeping.catch(() => undefined)
      await inTransaction.query('begin')
      await inTransaction.query('insert into seen values (1)')
      const { user } = server.login
      const { database } = server
      await vi.waitFor(async () => {
        expect(await server.sessions(user)).toMatchObject([
          { user, database, label: shownLabel('the idle one'), idle: true, inTransaction: false },
          { user, database, label: shownLabel('the busy one'), idle: false },
          { user, database, label: shownLabel('in a transaction'), idle: true, inTransaction: true },
        ])
      }, POLL)
      expect(await server.sessions()).toHaveLength(4)
      expect(await server.sessions(other.user)).toMatchObject([{ user: other.user, idle: true }])
      const busySession = (await server.sessions(user))[1]
      await server.terminate(busySession?.id ?? 0)
      await expect(sleeping).rejects.toThrow()
      await inTransaction.query('rollback')
      await server.admin('drop table seen')
    })

    it('ends a session, and does not mind if it is gone', async () => {
      const client = await open()
      const [session] = await server.sessions()
      await server.terminate(session?.id ?? 0)
      await client.gone
      await vi.waitFor(async () => expect(await server.sessions()).toEqual([]), POLL)
      await server.terminate(session?.id ?? 0)
    })

    it('gives each login limits and rights of its own', async () => {
      const limited = await server.createLogin({ maxConnections: 2 })
      expect(limited.user).not.toBe(server.login.user)
      const one = await open({ login: limited })
      await open({ login: limited })
      await expect(open({ login: limited })).rejects.toMatchObject(tooManyOfThisLogin)
      const another = await open()
      await another.query('create table shared (id int)')
      await one.query('insert into shared values (1)')
      await another.query('drop table shared')
      const [session] = await server.sessions(server.login.user)
      const end = isPostgres ? `select pg_terminate_backend(${session?.id})` : `kill ${session?.id}`
      await expect(one.query(end)).rejects.toMatchObject(isPostgres ? { code: '42501' } : { errno: 1095 })
      await expect(server.createLogin({ maxConnections: 0 })).rejects.toThrow('from 1, got 0')
    })

    it('does not repeat a statement, which may hold a password, in an error', async () => {
      const creation = isPostgres
        ? "create role app login password 'geheim'"
        : "create user app identified by 'geheim'"
      const error: unknown = await server.admin(creation).catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(Error)
      expect(inspect(error)).not.toContain('geheim')
    })

    it('counts the CPU time of its sessions, ended ones included', async () => {
      const client = await open()
      const beforeMs = await server.cpuMs()
      await client.query(
        isPostgres
          ? 'select count(md5(n::text)) from generate_series(1, 300000) n'
          : 'select benchmark(300000, sha2(rand(), 256))',
      )
      const workedMs = (await server.cpuMs()) - beforeMs
      expect(workedMs).toBeGreaterThan(50)
      await client.end()
      await vi.waitFor(async () => expect(await server.sessions()).toEqual([]), POLL)
      expect((await server.cpuMs()) - beforeMs).toBeGreaterThanOrEqual(workedMs)
    })

    it('keeps its data, its port and its logins when stopped and started', async () => {
      const client = await open()
      await client.query('create table kept (id int)')
      await client.query('insert into kept values (1)')
      const cpuMs = await server.cpuMs()
      await server.stop()
      await client.gone
      await expect(server.admin('select 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
      await expect(open()).rejects.toMatchObject({ code: 'ECONNREFUSED' })
      await server.stop()
      await server.start()
      await expect(server.start()).rejects.toThrow('running already')
      expect(await (await open()).query('select id from kept')).toEqual([{ id: 1 }])
      await server.admin('drop table kept')
      expect(await server.cpuMs()).toBeGreaterThanOrEqual(cpuMs)
    })

    it('keeps what was committed, and nothing else, when killed and started', async () => {
      const client = await open()
      await client.query('create table kept (id int)')
      await client.query('insert into kept values (1)')
      await client.query('begin')
      await client.query('insert into kept values (2)')
      await server.kill()
      await client.gone
      await expect(open()).rejects.toMatchObject({ code: 'ECONNREFUSED' })
      await server.kill()
      await server.start()
      expect(await (await open()).query('select id from kept')).toEqual([{ id: 1 }])
      await server.admin('drop table kept')
    })

    it('restarts', async () => {
      const client = await open()
      await server.restart()
      await client.gone
      await open()
    })
  })
}
