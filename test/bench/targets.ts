// What is measured against what: the bare driver's pool and the governed one, on each engine.
import type { LeaseholdOptions } from '@leasehold/core'
import { createPool as createMysqlPool } from '@leasehold/mysql-adapter'
import { createPool as createPgPool } from '@leasehold/pg-adapter'
import { type DatabaseServer, startMariadb, startPostgres } from '@leasehold/test-databases'
import mysql2 from 'mysql2'
import pg from 'pg'

export const VARIANTS = ['bare', 'governed'] as const
export type Variant = (typeof VARIANTS)[number]

/** Where to connect; plain data, so that it can be handed to another process. */
export interface Target {
  readonly engine: 'postgresql' | 'mysql'
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly database: string
}

/** One pool of one connection. */
export interface MeasuredPool {
  /** Takes the connection and gives it back, without a statement; calls back when done. */
  cycle(done: () => void): void
  query(): Promise<unknown>
  end(): Promise<unknown>
}

export const ENGINES: readonly { readonly name: string; readonly start: () => Promise<DatabaseServer> }[] = [
  { name: 'pg', start: () => startPostgres() },
  { name: 'mysql2', start: () => startMariadb() },
]

export function targetOf(server: DatabaseServer, port: number = server.port): Target {
  const { host, database, login } = server
  return { engine: server.engine === 'postgresql' ? 'postgresql' : 'mysql', host, port, database, ...login }
}

/** @param more options of the governed pool */
export function openPool(
  { engine, ...login }: Target,
  variant: Variant,
  more: LeaseholdOptions = {},
): MeasuredPool {
  return engine === 'postgresql' ? openPg(login, variant, more) : openMysql(login, variant, more)
}

type Login = Omit<Target, 'engine'>

function openPg(login: Login, variant: Variant, more: LeaseholdOptions): MeasuredPool {
  // Without its idle timer the bare pool is at its fastest; the governed one has none either.
  const pool =
    variant === 'bare'
      ? new pg.Pool({ ...login, max: 1, idleTimeoutMillis: 0 })
      : createPgPool({ ...login, ...more, max: 1 })
  return {
    cycle: (done) =>
      pool.connect((_error, _client, release) => {
        release()
        done()
      }),
    query: () => pool.query('select 1'),
    end: () => pool.end(),
  }
}

function openMysql(login: Login, variant: Variant, more: LeaseholdOptions): MeasuredPool {
  const pool =
    variant === 'bare'
      ? mysql2.createPool({ ...login, connectionLimit: 1 })
      : createMysqlPool({ ...login, ...more, connectionLimit: 1 })
  return {
    cycle: (done) =>
      pool.getConnection((_error, connection) => {
        connection.release()
        done()
      }),
    query: () => pool.promise().query('select 1'),
    end: () => pool.promise().end(),
  }
}
