// The neutral questions of the suite, put to each driver's pool.
import type { LeaseholdOptions } from '@leasehold/core'
import { createPool as createMysqlPool, type GovernedPool as MysqlPool } from '@leasehold/mysql-adapter'
import { createPool as createPgPool } from '@leasehold/pg-adapter'
import type mysql2 from 'mysql2'

import type { Asker, TestPool } from './subject.ts'

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
export type Run = (sql: string, values?: readonly unknown[]) => Promise<readonly Record<string, unknown>[]>

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

function pgAsker(run: Run): Asker {
  return {
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
  const run: Run = async (sql, values = []) =>
    (await pool.query<Record<string, unknown>>(sql, [...values])).rows
  const testPool: TestPool = {
    ...pgAsker(run),
    connect: async () => {
      const client = await pool.connect()
      const runHeld: Run = async (sql, values = []) =>
        (await client.query<Record<string, unknown>>(sql, [...values])).rows
      return withRun({ ...pgAsker(runHeld), release: () => client.release() }, runHeld)
    },
    end: () => pool.end(),
    stats: () => pool.leasehold.stats(),
    census: () => pool.leasehold.census(),
  }
  return withRun(testPool, run)
}

function mysqlAsker(run: Run): Asker {
  return {
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
  const run: Run = async (sql, values = []) => rowsOf((await promised.query(sql, [...values]))[0])
  const testPool: TestPool = {
    ...mysqlAsker(run),
    connect: async () => {
      const connection = await promised.getConnection()
      const runHeld: Run = async (sql, values = []) => rowsOf((await connection.query(sql, [...values]))[0])
      return withRun({ ...mysqlAsker(runHeld), release: () => connection.release() }, runHeld)
    },
    end: () => promised.end(),
    stats: () => pool.leasehold.stats(),
    census: () => pool.leasehold.census(),
  }
  return withRun(testPool, run)
}

function rowsOf(result: mysql2.QueryResult): readonly Record<string, unknown>[] {
  return Array.isArray(result) ? (result as Record<string, unknown>[]) : []
}
