// BEGIN to COMMIT by statements of the application's own: one session, whole or not at all, over in its invocation.
import { LeaseholdError } from '@leasehold/pg-adapter'
import ServerlessClient from '@leasehold/pg-adapter/serverless-postgres'
import { startRelay } from '@leasehold/test-databases'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { eventually, rejection } from '../eventually.ts'
import { postgresUnderTest } from '../postgresql/server.ts'
import { quietLog } from '../quiet-log.ts'

describe('a transaction begun by hand', () => {
  const under = postgresUnderTest()
  const clients: ServerlessClient[] = []
  const make = (config: ServerlessClient.Config = {}): ServerlessClient => {
    const client = new ServerlessClient({ ...under.target, ...config })
    clients.push(client)
    return client
  }
  const pidOf = async (client: ServerlessClient): Promise<number> => {
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
    return rows[0]?.pid ?? 0
  }
  /** From outside. */
  const names = async (): Promise<string[]> => {
    const { rows } = await make().query<{ name: string }>('select name from t order by name')
    return rows.map(({ name }) => name)
  }
  beforeEach(async () => {
    const client = make()
    await client.query('create table if not exists t (name text unique deferrable initially deferred)')
    await client.query('truncate t')
  })
  afterEach(async () => {
    vi.unstubAllEnvs()
    await Promise.all(clients.splice(0).map((client) => client.end()))
  })

  it('keeps its session for longer than the lease while the application does something else', async () => {
    const client = make({ minLeaseMs: 1_000, maxLeaseMs: 1_000 })
    await client.query('BEGIN')
    const pid = await pidOf(client)
    await client.query("insert into t values ('first')")
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    expect(await pidOf(client)).toBe(pid)
    await client.query('COMMIT')
    expect(await names()).toEqual(['first'])
  })

  it('is begun by any statement that leaves one open, with comments and in one text with others', async () => {
    for (const begin of ['/* unit */ start transaction', "begin; insert into t values ('also')", 'BEGIN;']) {
      const client = make()
      await client.query(begin)
      await client.query("insert into t values ('inside')")
      expect(await names()).toEqual([])
      await client.query('rollback')
      expect(await names()).toEqual([])
    }
  })

  it('goes on after a rollback to a savepoint', async () => {
    const client = make()
    await client.query('BEGIN')
    await client.query('savepoint one')
    await rejection(client.query('select 1 / 0'))
    await client.query('rollback to savepoint one')
    await client.query("insert into t values ('kept')")
    await client.query('END')
    expect(await names()).toEqual(['kept'])
  })

  it('lets nothing but ROLLBACK and COMMIT end it when its session is lost', async () => {
    const client = make()
    await client.query('BEGIN')
    await under.server.terminate(await pidOf(client))
    await rejection(client.query("insert into t values ('a')"))
    for (const text of ['rollback to savepoint one', 'select 1', "commit prepared 'x'", 'begin']) {
      const error = await rejection(client.query(text))
      expect(LeaseholdError.is(error) && error.code).toBe('TRANSACTION_ABORTED')
    }
    expect(await client.query('rollback')).toMatchObject({ command: 'ROLLBACK', rows: [] })
    await client.query("insert into t values ('b')")
    expect(await names()).toEqual(['b'])
  })

  it('notices a session that was lost between two statements', async () => {
    const client = make()
    await client.query('BEGIN')
    await client.query("insert into t values ('a')")
    const pid = await pidOf(client)
    await under.server.terminate(pid)
    const isGone = async (): Promise<boolean> => (await under.server.sessions()).every(({ id }) => id !== pid)
    await eventually('the session is gone', isGone)
    await rejection(client.query("insert into t values ('b')"))
    expect(await rejection(client.query('COMMIT'))).toMatchObject({ code: 'TRANSACTION_ABORTED' })
    expect(await names()).toEqual([])
  })

  it('is rolled back by a ROLLBACK that finds its session gone', async () => {
    const client = make()
    await client.query('BEGIN')
    await client.query("insert into t values ('a')")
    await under.server.terminate(await pidOf(client))
    expect(await client.query('ROLLBACK')).toMatchObject({ command: 'ROLLBACK' })
    await client.query("insert into t values ('b')")
    expect(await names()).toEqual(['b'])
  })

  it('says that it is not known whether it was committed when the answer to COMMIT is lost', async () => {
    const relay = await startRelay(under.server)
    const client = make({ host: relay.host, port: relay.port })
    await client.query('BEGIN')
    await client.query("insert into t values ('a')")
    relay.dropReplies()
    expect(await rejection(client.query('COMMIT'))).toMatchObject({
      leasehold: { commitOutcome: 'unknown', statementMayHaveRun: true },
    })
    await eventually('it was committed', async () => (await names()).length === 1)
    await client.query("insert into t values ('b')")
    expect(await names()).toEqual(['a', 'b'])
    await client.end()
    await relay.close()
  })

  it('says the same when COMMIT is cut off at its limit', async () => {
    const relay = await startRelay(under.server)
    const client = make({ host: relay.host, port: relay.port })
    await client.query('BEGIN')
    relay.blackhole()
    const commit = client.query({ text: 'COMMIT', queryTimeoutMs: 50 })
    expect(await rejection(commit)).toMatchObject({
      code: 'QUERY_TIMEOUT',
      leasehold: { commitOutcome: 'unknown' },
    })
    relay.resume()
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    await client.end()
    await relay.close()
  })

  it('is over when COMMIT itself fails', async () => {
    const client = make()
    await client.query('BEGIN')
    await client.query("insert into t values ('a'), ('a')")
    expect(await rejection(client.query('COMMIT'))).toMatchObject({ code: '23505' })
    await client.query("insert into t values ('b')")
    expect(await names()).toEqual(['b'])
  })

  it('begins again on another session when the answer to BEGIN is lost', async () => {
    const relay = await startRelay(under.server)
    const client = make({ host: relay.host, port: relay.port })
    await client.connect()
    relay.dropReplies()
    await client.query('BEGIN')
    await client.query("insert into t values ('a')")
    await client.query('COMMIT')
    expect(await names()).toEqual(['a'])
    await client.end()
    await relay.close()
  })

  it('does not reach the next invocation when it is left open, and is reported', async () => {
    const log = quietLog()
    const client = make({ logger: log })
    vi.stubEnv('_X_AMZN_TRACE_ID', 'Root=1')
    await client.connect()
    await client.query('BEGIN')
    await client.query("insert into t values ('left')")
    vi.stubEnv('_X_AMZN_TRACE_ID', 'Root=2')
    await client.connect()
    await client.query("insert into t values ('next')")
    expect(await names()).toEqual(['next'])
    expect(log.lines).toHaveLength(1)
    expect(client.leasehold.stats().reclaimed).toBe(1)
  })

  it('does not reach the next invocation when its session was lost in the one before', async () => {
    const client = make()
    vi.stubEnv('_X_AMZN_TRACE_ID', 'Root=1')
    await client.query('BEGIN')
    await under.server.terminate(await pidOf(client))
    await rejection(client.query('select 1'))
    vi.stubEnv('_X_AMZN_TRACE_ID', 'Root=2')
    await client.query("insert into t values ('next')")
    expect(await names()).toEqual(['next'])
  })

  it('is over where the handler says that another invocation has begun', async () => {
    const client = make({ logger: quietLog() })
    const enter = (awsRequestId: string): void =>
      client.leasehold.enter({ awsRequestId, getRemainingTimeInMillis: () => 30_000 })
    enter('one')
    await client.query('BEGIN')
    await client.query("insert into t values ('left')")
    enter('two')
    await client.query("insert into t values ('next')")
    expect(await names()).toEqual(['next'])
  })

  it('keeps its server when setConfig names another, until it has ended', async () => {
    const other = await under.server.createLogin()
    const client = make()
    await client.query('BEGIN')
    client.setConfig(other)
    const inside = await client.query('select current_user as name')
    await client.query('COMMIT')
    const after = await client.query('select current_user as name')
    expect([inside.rows[0]?.name, after.rows[0]?.name]).toEqual([under.target.user, other.user])
  })

  it('is rolled back by end', async () => {
    const client = make()
    await client.query('BEGIN')
    await client.query("insert into t values ('a')")
    await client.end()
    expect(await names()).toEqual([])
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  })
})
