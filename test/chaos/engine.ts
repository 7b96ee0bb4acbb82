// One engine under chaos: three kinds of work on a governed pool, and what the tables say of it afterwards.
import type { Stats } from '@leasehold/core'
import { createPool as createMysqlPool, transaction as mysqlTransaction } from '@leasehold/mysql-adapter'
import { createPool as createPgPool, transaction as pgTransaction } from '@leasehold/pg-adapter'
import type { DatabaseServer } from '@leasehold/test-databases'

export interface Address {
  readonly host: string
  readonly port: number
}

export interface Work {
  /** One plain insert, which must never run twice. */
  insert(id: number): Promise<void>
  /** One insert-or-update, marked as safe to run twice. */
  upsert(id: number): Promise<void>
  /** Two inserts in one transaction: both or none. */
  pair(id: number): Promise<void>
  stats(): Readonly<Stats>
  end(): Promise<void>
}

/** More than one connection, so that trouble meets several statements at once. */
const CONNECTIONS = 6

const TABLES = [
  // Without a key on purpose: a statement that runs twice must leave its trace.
  'create table inserted (id int not null)',
  'create table upserted (id int primary key, writes int not null)',
  'create table paired (id int not null, half int not null)',
]

export async function createTables(server: DatabaseServer): Promise<void> {
  const pool = open(server, server)
  for (const table of TABLES) await pool.run(table)
  await pool.end()
}

/** How often each id is there. */
export async function countsIn(
  server: DatabaseServer,
  table: 'inserted' | 'upserted' | 'paired',
): Promise<ReadonlyMap<number, number>> {
  const rows = await server.admin(
    `select id, count(*) as n from ${qualified(server, table)} group by id order by id`,
  )
  return new Map(rows.map(({ id, n }) => [Number(id), Number(n)]))
}

function qualified(server: DatabaseServer, table: string): string {
  return server.engine === 'postgresql' ? table : `${server.database}.${table}`
}

export function openWork(server: DatabaseServer, address: Address): Work {
  const { run, pair, stats, end } = open(server, address)
  const upsert =
    server.engine === 'postgresql'
      ? 'insert into upserted values ($1, 1) on conflict (id) do update set writes = upserted.writes + 1'
      : 'insert into upserted values (?, 1) on duplicate key update writes = writes + 1'
  const mark = server.engine === 'postgresql' ? '$1' : '?'
  return {
    insert: (id) => run(`insert into inserted values (${mark})`, [id]),
    upsert: (id) => run(upsert, [id], true),
    pair,
    stats,
    end,
  }
}

interface Opened {
  run(sql: string, values?: readonly unknown[], idempotent?: boolean): Promise<void>
  pair(id: number): Promise<void>
  stats(): Readonly<Stats>
  end(): Promise<void>
}

function open(server: DatabaseServer, { host, port }: Address): Opened {
  const options = {
    host,
    port,
    database: server.database,
    ...server.login,
    logger: { warn: () => {}, error: () => {} },
  }
  return server.engine === 'postgresql' ? openPg(options) : openMysql(options)
}

function openPg(options: object): Opened {
  const pool = createPgPool({ ...options, max: CONNECTIONS })
  return {
    run: async (text, values = [], idempotent = false) => {
      await pool.query({ text, values: [...values], idempotent })
    },
    pair: (id) =>
      pgTransaction(pool, async (client) => {
        await client.query('insert into paired values ($1, 1)', [id])
        await client.query('insert into paired values ($1, 2)', [id])
      }),
    stats: () => pool.leasehold.stats(),
    end: () => pool.end(),
  }
}

function openMysql(options: object): Opened {
  const pool = createMysqlPool({ ...options, connectionLimit: CONNECTIONS })
  const promised = pool.promise()
  return {
    run: async (sql, values = [], idempotent = false) => {
      await promised.query({ sql, values: [...values], idempotent })
    },
    pair: (id) =>
      mysqlTransaction(pool, async (connection) => {
        await connection.query('insert into paired values (?, 1)', [id])
        await connection.query('insert into paired values (?, 2)', [id])
      }),
    stats: () => pool.leasehold.stats(),
    // A connection that trouble has just cut is the driver's own complaint at the end.
    end: () => promised.end().catch(() => undefined),
  }
}
