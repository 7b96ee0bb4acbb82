// The neutral questions of the suite, put to each driver's pool.
import type { LeaseholdOptions } from '@leasehold/core'
import {
  createPool as createMysqlPool,
  type GovernedPool as MysqlPool,
  transaction as mysqlTransaction,
} from '@leasehold/mysql-adapter'
import { createPool as createPgPool, transaction as pgTransaction } from '@leasehold/pg-adapter'
import type mysql2 from 'mysql2'

import type { Asker, Sending, TestPool, Writer } from './subject.ts'

/** Where and as whom to connect; plain data, so that it can be handed to another process. */
export interface Target extends LeaseholdOptions {
  readonly engine: 'postgresql' | 'mysql' | 'mariadb'
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user: string
  readonly password: string
  readonly max?: number
}

export function openPool(target: Target): TestPool {
  const { engine, ...options } = target
  return engine === 'postgresql' ? openPg(options) : openMysql(options)
}

/** A running statement that `asker` of a held connection can be asked for, beyond the neutral ones. */
export type Run = (
  sql: string,
  values?: readonly unknown[],
  sending?: Sending,
) => Promise<readonly Record<string, unknown>[]>

const runs = new WeakMap<object, Run>()

/** Runs plain SQL on what `openPool` or `connect` gave. */
export function runOn(asker: object): Run {
  const run = runs.get(asker)
  if (run === undefined) throw new TypeError('not an asker of this suite')
  return run
}

function withRun<T extends object>(asker: T, run: Run): T {
  runs.set(asker, run)
  return asker
}

async function only(run: Run, sql: string, values: readonly unknown[] = []): Promise<unknown> {
  return (await run(sql, values))[0]?.['v']
}

function pgAsker(run: Run): Asker & Writer {
  return {
    write: async (id, sending) => void (await run('insert into writes values ($1)', [id], sending)),
    busy: async (durationMs, sending) =>
      void (await run('select pg_sleep($1)', [durationMs / 1_000], sending)),
    echo: async (value) => String(await only(run, 'select $1::text as v', [value])),
    sessionId: async () => Number(await only(run, 'select pg_backend_pid() as v')),
    leaseMs: async () =>
      Number(
        await only(
          run,
          `select extract(epoch from current_setting('idle_session_timeout')::interval) * 1000 as v`,
        ),
      ),
  }
}

function openPg(options: Omit<Target, 'engine'>): TestPool {
  const pool = createPgPool(options)
  const on =
    (asked: { query: typeof pool.query }): Run =>
    async (text, values = [], sending = {}) =>
      (await asked.query<Record<string, unknown>>({ text, values: [...values], ...sending })).rows
  const run = on(pool)
  const testPool: TestPool = {
    ...pgAsker(run),
    connect: async () => {
      const client = await pool.connect()
      const runHeld = on(client)
      const begin = async (): Promise<void> => void (await runHeld('begin'))
      return withRun({ ...pgAsker(runHeld), begin, release: () => client.release() }, runHeld)
    },
    transaction: (work, how) =>
      pgTransaction(
        pool,
        (client) => work({ ...pgAsker(on(client)), nested: (inner) => pgTransaction(client, inner) }),
        how,
      ),
    enter: (context) => pool.leasehold.enter(context),
    end: () => pool.end(),
    stats: () => pool.leasehold.stats(),
    census: () => pool.leasehold.census(),
    drain: () => pool.leasehold.drain(),
  }
  return withRun(testPool, run)
}

function mysqlAsker(run: Run): Asker & Writer {
  return {
    write: async (id, sending) => void (await run('insert into writes values (?)', [id], sending)),
    // Alone in its statement, an interrupted sleep is a success that says 1.
    busy: async (durationMs, sending) =>
      void (await run('select 1 from dual where sleep(?) = 0', [durationMs / 1_000], sending)),
    echo: async (value) => String(await only(run, 'select ? as v', [value])),
    sessionId: async () => Number(await only(run, 'select connection_id() as v')),
    leaseMs: async () => 1_000 * Number(await only(run, 'select @@session.wait_timeout as v')),
  }
}

function openMysql({ max, ...options }: Omit<Target, 'engine'>): TestPool {
  const pool: MysqlPool = createMysqlPool({
    ...options,
    charset: 'utf8mb4',
    ...(max === undefined ? {} : { connectionLimit: max }),
  })
  const promised = pool.promise()
  const on =
    (asked: { query: typeof promised.query }): Run =>
    async (sql, values = [], sending = {}) =>
      rowsOf((await asked.query({ sql, values: [...values], ...sending }))[0])
  const run = on(promised)
  const testPool: TestPool = {
    ...mysqlAsker(run),
    connect: async () => {
      const connection = await promised.getConnection()
      const runHeld = on(connection)
      const begin = async (): Promise<void> => void (await runHeld('begin'))
      return withRun({ ...mysqlAsker(runHeld), begin, release: () => connection.release() }, runHeld)
    },
    transaction: (work, how) =>
      mysqlTransaction(
        pool,
        (connection) =>
          work({ ...mysqlAsker(on(connection)), nested: (inner) => mysqlTransaction(connection, inner) }),
        how,
      ),
    enter: (context) => pool.leasehold.enter(context),
    end: () => promised.end(),
    stats: () => pool.leasehold.stats(),
    census: () => pool.leasehold.census(),
    drain: () => pool.leasehold.drain(),
  }
  return withRun(testPool, run)
}

function rowsOf(result: mysql2.QueryResult): readonly Record<string, unknown>[] {
  return Array.isArray(result) ? (result as Record<string, unknown>[]) : []
}
