// The same idea on PostgreSQL: the same members, the same safety, results that a next statement can use.
import { failureDetails } from '@leasehold/pg-adapter'
import serverless from '@leasehold/pg-adapter/serverless'
import { type Relay, startRelay } from '@leasehold/test-databases'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

import { eventually, rejection } from '../eventually.ts'
import { postgresUnderTest } from '../postgresql/server.ts'
import { quietLog } from '../quiet-log.ts'
import { listener } from './listener.ts'

type Client = serverless.ServerlessPg
type Options = Omit<serverless.Config, 'config'>
type Config = Exclude<serverless.Config['config'], string | undefined>

const under = postgresUnderTest()
const clients: Client[] = []
let relay: Relay

const make = (options: Options = {}, config: Config = {}): Client => {
  const { host, port } = relay
  const db = serverless({
    ...options,
    config: { ...under.target, host, port, logger: quietLog(), ...config },
  })
  clients.push(db)
  return db
}
const marks = async (): Promise<unknown[]> =>
  (await under.server.admin('select mark from marks order by id')).map(({ mark }) => mark)
const pidOf = (db: Client): number => (db.getClient() as unknown as { processID: number }).processID

beforeAll(async () => {
  relay = await startRelay(under.server)
  await under.server.admin('create table marks (id int generated always as identity, mark text primary key)')
  await under.server.admin(`grant all on marks to ${under.target.user}`)
})
afterEach(async () => {
  relay.resume()
  for (const db of clients.splice(0)) db.quit()
  await under.server.admin('delete from marks')
})
afterAll(() => relay.close())

describe('a serverless client on PostgreSQL', () => {
  it('connects by itself, and resolves to the rows alone', async () => {
    const db = make()
    expect(db.getClient()).toBeNull()
    expect(await db.query('select ?::int as v, $$?$$ as q', [1])).toEqual([{ v: 1, q: '?' }])
    expect(await db.query('select $1::int as v', [2])).toEqual([{ v: 2 }])
    expect(await db.query({ sql: 'select ?::int as v', values: [3] })).toEqual([{ v: 3 }])
    expect(await db.query({ text: 'select $1::int as v', values: [4] })).toEqual([{ v: 4 }])
    expect(db.getClient()).toBeInstanceOf(pg.Client)
  })

  it('tells what a statement did, and its id where that is returned', async () => {
    const db = make()
    expect(await db.query('insert into marks (mark) values (?)', ['a'])).toEqual({
      affectedRows: 1,
      command: 'INSERT',
    })
    const rows = await db.query<object>('insert into marks (mark) values (?) returning id', ['b'])
    expect(rows).toEqual([{ id: expect.any(Number) }])
    expect(rows).toMatchObject({ affectedRows: 1, insertId: (rows as { id: number }[])[0]?.id })
    expect(await db.query('select mark from marks where false')).toEqual([])
    expect(await db.query('select 1 as a; select 2 as b')).toEqual([[{ a: 1 }], [{ b: 2 }]])
  })

  it('keeps one connection, counts the invocations on it, and forgets both at quit', async () => {
    const [onClose, onConnect] = [listener(), listener()]
    const db = make({ onClose, onConnect })
    await db.connect()
    const pid = pidOf(db)
    await Promise.all([db.query('select 1'), db.query('select 2')])
    await db.end()
    expect([db.getCounter(), pidOf(db)]).toEqual([1, pid])
    db.quit()
    expect([db.getClient(), db.getCounter(), onClose.mock.calls.length]).toEqual([null, 0, 1])
    expect(await db.query('select 1 as v')).toEqual([{ v: 1 }])
    expect(onConnect).toHaveBeenCalledTimes(2)
  })

  it('reads a connection string, and merges configuration for connections to come', async () => {
    const { user, password, host, port, database } = under.target
    const db = serverless(`postgres://${user}:${encodeURIComponent(password)}@${host}:${port}/${database}`)
    clients.push(db)
    expect(await db.query('select current_database() as d')).toEqual([{ d: database }])
    const other = make()
    await other.connect()
    expect(other.config({ database: 'postgres' })).toBe(other.getConfig())
    await under.server.terminate(pidOf(other))
    await eventually('it is heard', () => other.getClient() === null)
    expect(await other.query('select current_database() as d')).toEqual([{ d: 'postgres' }])
  })

  it('checks options and configuration at once', () => {
    expect(() => serverless({ base: -1 })).toThrow('`base` must be a whole number')
    expect(() => serverless({ config: { maxLeaseMs: 1 } })).toThrow('`maxLeaseMs`')
    expect(() => serverless({ library: {} as typeof pg })).toThrow('cannot be governed')
  })

  it('hears of refused connects, and gives the driver’s own error', async () => {
    await under.fill()
    const [onRetry, onConnectError] = [listener(), listener()]
    const db = make({ maxRetries: 2, backoff: () => 5, onRetry, onConnectError })
    const error = await rejection(db.query('select 1'))
    expect([error.code, onRetry.mock.calls.length, db.getErrorCount()]).toEqual(['53300', 2, 3])
    expect(onConnectError.mock.calls).toEqual([[error]])
  })

  it('hears of a connection that failed while it was idle', async () => {
    const onError = listener()
    const db = make({ onError })
    await db.connect()
    await under.server.terminate(pidOf(db))
    await eventually('it is heard', () => onError.mock.calls.length === 1)
    expect(await db.query('select 1 as v')).toEqual([{ v: 1 }])
  })

  it('stops a statement at its limit, on the server too', async () => {
    const db = make()
    expect((await rejection(db.query({ sql: 'select pg_sleep(20)', timeout: 200 }))).code).toBe(
      'QUERY_TIMEOUT',
    )
    await eventually('nothing runs', async () => (await under.server.sessions()).every(({ idle }) => idle))
  })

  it('adds the text that the server got, where that is asked for', async () => {
    const db = make({ returnFinalSqlQuery: true })
    expect(await db.query('select ?::int as v', [1])).toHaveProperty('sql', 'select $1::int as v')
    expect(await rejection(db.query('select ? from nowhere', [1]))).toMatchObject({
      code: '42P01',
      sql: 'select $1 from nowhere',
    })
  })
})

describe('a statement on PostgreSQL whose connection was lost', () => {
  it('is not sent again, and says that it may have run', async () => {
    const db = make()
    await db.connect()
    relay.dropReplies()
    const error = await rejection(db.query("insert into marks (mark) values ('a')"))
    expect(failureDetails(error)?.statementMayHaveRun).toBe(true)
    expect(await marks()).toEqual(['a'])
  })

  it("is sent again with replayLost: 'always', or where it says that it may run twice", async () => {
    for (const [options, own] of [
      [{ replayLost: 'always' }, {}],
      [{}, { idempotent: true }],
    ] as const) {
      const db = make(options)
      await db.connect()
      relay.dropReplies()
      await db.query({ sql: "insert into marks (mark) values ('a') on conflict do nothing", ...own })
      expect(await marks()).toEqual(['a'])
    }
  })
})

describe('a transaction on PostgreSQL', () => {
  it('gives interim results to its functions', async () => {
    const db = make()
    const results = await db
      .transaction()
      .query('insert into marks (mark) values (?) returning id', ['a'])
      .query((last: { insertId: number }) => ['select mark from marks where id = ?', [last.insertId]])
      .query(() => null)
      .commit()
    expect(results.slice(1)).toEqual([[{ mark: 'a' }], []])
  })

  it('leaves no half behind where its connection is lost', async () => {
    const db = make()
    const rolledBack = listener()
    const work = db
      .transaction()
      .query("insert into marks (mark) values ('first')")
      .query(() => {
        relay.reset()
        return ["insert into marks (mark) values ('second')"]
      })
      .rollback(rolledBack)
      .commit()
    const error = await rejection(work)
    expect(rolledBack.mock.calls).toEqual([[error]])
    expect(await marks()).toEqual([])
  })

  it('does not meet another one', async () => {
    const db = make()
    await db.query("insert into marks (mark) values ('there')")
    const first = db
      .transaction()
      .query('select pg_sleep(0.1)')
      .query("insert into marks (mark) values ('there')")
      .commit()
    const second = db.transaction().query("insert into marks (mark) values ('second')").commit()
    expect((await rejection(first)).code).toBe('23505')
    await second
    expect(await marks()).toEqual(['there', 'second'])
  })

  it('is run again whole after a passing failure, as often as that is asked for', async () => {
    const onQueryRetry = listener()
    const db = make({ maxQueryRetries: 2, onQueryRetry })
    let runs = 0
    const deadlock = "do $$ begin raise exception using errcode = '40P01'; end $$"
    await db
      .transaction()
      .query("insert into marks (mark) values ('a')")
      .query(() => ((runs += 1) < 3 ? [deadlock] : null))
      .commit()
    expect([runs, onQueryRetry.mock.calls.length, await marks()]).toEqual([3, 2, ['a']])
  })

  it('made by hand, is lost with its connection, and rolled back at the end of the invocation', async () => {
    const db = make()
    await db.query('begin')
    await db.query("insert into marks (mark) values ('first')")
    await under.server.terminate(pidOf(db))
    await eventually('it is heard', () => db.getClient() === null)
    await rejection(db.query("insert into marks (mark) values ('second')"))
    await db.query('begin')
    await db.query("insert into marks (mark) values ('third')")
    await db.end()
    await db.query("insert into marks (mark) values ('fourth')")
    expect(await marks()).toEqual(['fourth'])
  })
})
