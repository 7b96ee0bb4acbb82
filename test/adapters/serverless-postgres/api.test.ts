// The ancestor's face as its users write against it, and what ours adds.
import { LeaseholdError } from '@leasehold/pg-adapter'
import ServerlessClient from '@leasehold/pg-adapter/serverless-postgres'
import pg from 'pg'
import Cursor from 'pg-cursor'
import { afterEach, describe, expect, it } from 'vitest'

import { eventually, rejection } from '../eventually.ts'
import { postgresUnderTest } from '../postgresql/server.ts'

describe('ServerlessClient', () => {
  const under = postgresUnderTest()
  const clients: ServerlessClient[] = []
  const make = (config: ServerlessClient.Config = {}): ServerlessClient => {
    const client = new ServerlessClient({ ...under.target, ...config })
    clients.push(client)
    return client
  }
  afterEach(() => Promise.all(clients.splice(0).map((client) => client.end())))

  it('connects, answers, cleans and ends as the ancestor does, and again after its end', async () => {
    const client = make()
    for (let life = 0; life < 2; life += 1) {
      expect(await client.connect()).toBeUndefined()
      const { rows, command } = await client.query('select $1::int + 1 as sum', [1])
      expect([rows, command]).toEqual([[{ sum: 2 }], 'SELECT'])
      expect(await client.clean()).toBeUndefined()
      await client.end()
      await eventually('its session is gone', async () => (await under.server.sessions()).length === 0)
    }
  })

  it('opens nothing before it is asked to, and connects by itself', async () => {
    const client = make()
    expect(await under.server.sessions()).toEqual([])
    expect((await client.query({ text: 'select 1 as one', name: 'one' })).rows).toEqual([{ one: 1 }])
  })

  it('has one session for statements that are sent at once, and keeps their order', async () => {
    const client = make()
    const answers = await Promise.all(
      [1, 2, 3].map((turn) => client.query('select $1::int as turn, pg_backend_pid() as pid', [turn])),
    )
    const rows = answers.flatMap((answer) => answer.rows)
    expect(rows.map(({ turn }) => turn)).toEqual([1, 2, 3])
    expect(new Set(rows.map(({ pid }) => pid)).size).toBe(1)
  })

  it('calls back', async () => {
    const client = make()
    const sum = await new Promise((resolve, reject) => {
      void client.query('select 2 as two', (error, result) => (error ? reject(error) : resolve(result.rows)))
    })
    expect(sum).toEqual([{ two: 2 }])
    const code = await new Promise((resolve) => {
      void client.query('select $1::int', ['x'], (error) => resolve((error as { code?: string }).code))
    })
    expect(code).toBe('22P02')
  })

  it('runs a cursor, and the next statement after it', async () => {
    const client = make()
    const cursor = await client.query(new Cursor<{ n: number }>('select n from generate_series(1, 5) n'))
    expect((await cursor.read(2)).map(({ n }) => n)).toEqual([1, 2])
    const next = client.query('select 1 as one')
    await cursor.close()
    expect((await next).rows).toEqual([{ one: 1 }])
  })

  it('hears events that were asked for before there was a session, and of every later one', async () => {
    const client = make()
    const heard: unknown[] = []
    client.on('notice', (notice: { message?: string }) => heard.push(notice.message))
    const say = (word: string) => client.query(`do $$ begin raise notice '${word}'; end $$`)
    await say('one')
    await client.end()
    await say('two')
    expect(heard).toEqual(['one', 'two'])
  })

  it('has the transaction of the adapter', async () => {
    const client = make()
    const sum = await client.transaction(async (inside) => {
      const { rows } = await inside.query<{ sum: number }>('select 1 + 1 as sum')
      return rows[0]?.sum
    })
    expect(sum).toBe(2)
  })

  it('fails rather than waits for ever when its own query is awaited inside its transaction', async () => {
    const client = make({ acquireTimeoutMs: 200, logger: { warn() {}, error() {} } })
    const error = await rejection(client.transaction(() => client.query('select 1')))
    expect(LeaseholdError.is(error) && error.code).toBe('ACQUIRE_TIMEOUT')
  })

  it('uses the library that it is given', async () => {
    const seen: string[] = []
    class Traced extends pg.Client {
      constructor(config?: string | pg.ClientConfig) {
        super(config)
        seen.push('made')
      }
    }
    await make({ library: { ...pg, Client: Traced } }).connect()
    expect(seen).toEqual(['made'])
  })

  it('labels its sessions with application_name', async () => {
    await make().connect()
    await make({ application_name: 'shop' }).connect()
    const labels = (await under.server.sessions()).map(({ label }) => label?.split(':').at(-1))
    expect(new Set(labels)).toEqual(new Set(['serverless_client', 'shop']))
  })

  it('tells every wrong option at once, and takes 0 for what it is', () => {
    const wrong = {
      strategy: 'fastest',
      minConnectionIdleTimeSec: -1,
      maxIdleConnectionsToKill: Number.NaN,
      connUtilization: 1.2,
      maxConnections: '100',
      manualMaxConnections: 'yes',
      plugin: { processCount() {} },
    } as unknown as ServerlessClient.Config
    const error = (() => {
      try {
        return new ServerlessClient(wrong)
      } catch (thrown) {
        return thrown as Error
      }
    })()
    expect(error).toMatchObject({ code: 'INVALID_OPTIONS' })
    for (const name of Object.keys(wrong)) expect((error as Error).message).toContain(`\`${name}\``)

    const zero = make({ connUtilization: 0, minConnectionIdleTimeSec: 2, maxIdleConnectionsToKill: 0 })
    expect(zero._strategy).toEqual({
      name: 'minimum_idle_time',
      minConnIdleTimeSec: 2,
      maxIdleConnectionsToKill: 0,
      connUtilization: 0,
    })
  })

  it('leaves everything as it was when setConfig is given a wrong option', async () => {
    const client = make()
    expect(() => client.setConfig({ maxLeaseMs: -1 })).toThrow('maxLeaseMs')
    await client.connect()
  })

  it('tries a refused connect once where maxRetries is 0', async () => {
    await under.fill()
    const client = make({ maxRetries: 0, logger: { warn() {}, error() {} } })
    expect(await rejection(client.connect())).toMatchObject({ leasehold: { attempts: 1 } })
  })

  it('ends idle sessions by a plugin, and no more than are over its threshold', async () => {
    const idle = await Promise.all(
      [1, 2, 3].map(async () => {
        const client = make()
        await client.connect()
        return client
      }),
    )
    const asked: string[] = []
    const plugin: ServerlessClient.Plugin = {
      processCount: (self) => {
        asked.push('count')
        return self._client!.query('select count(*) from pg_stat_activity where usename = current_user')
      },
      showMaxConnections: () => Promise.resolve({ rows: [{ max_connections: '5' }] }),
      getIdleProcessesListByMinimumTimeout: () => Promise.reject(new Error('not asked')),
      getIdleProcessesListOrderByDate: (self) =>
        self._client!.query(
          "select pid from pg_stat_activity where usename = current_user and state = 'idle' order by state_change",
        ),
      killProcesses: (self, pids) =>
        self._client!.query(
          'select pg_terminate_backend(pid) from pg_stat_activity where pid = any($1::int[])',
          [pids],
        ),
    }
    const client = make({ plugin, manualMaxConnections: true, strategy: 'ranked', connUtilization: 0.6 })
    await client.connect()
    expect(await client.clean()).toEqual([{ pg_terminate_backend: true }])
    await client.clean()
    expect(asked).toEqual(['count'])
    await eventually('its client has noticed', () => idle.some(({ _client }) => _client === null))
    for (const each of idle) await each.query('select 1')
  })

  it('shows no secret when it is printed', () => {
    const client = make({ connectionString: 'postgres://app:hunter2@db/app', password: 'hunter2' })
    expect(JSON.stringify(client)).not.toContain('hunter2')
  })
})
