/** A serverless client's one connection on pg: a governed pool of one. */

import { LeaseholdError } from '@leasehold/core'
import type { ServerlessEngine, Statement } from '@leasehold/core/serverless'
import type pg from 'pg'

import type { DriverClient, DriverPool, PgModule } from '../driver.ts'
import { governedPoolClass } from '../governed-pool.ts'
import { readOptions } from '../options.ts'
import type { GovernedPool, GovernedPoolClient, GovernedQuery } from '../pool-types.ts'
import { transaction } from '../transaction.ts'
import { numbered } from './placeholders.ts'
import { resultOf } from './result.ts'

/** The server refused the statement and ran none of it; outside a transaction it may come again. */
const PASSING: readonly unknown[] = [
  '40001', // serialization_failure
  '40P01', // deadlock_detected
  '55P03', // lock_not_available
  '57014', // query_canceled
]

export function engineOf(library: PgModule): ServerlessEngine<GovernedPool, GovernedPoolClient> {
  return {
    parse: (connectionString) => ({ connectionString }),
    check: (config) => void readOptions(config),
    createPool: (config, surroundings) => {
      const Pool = governedPoolClass(library, surroundings)
      return new Pool({ max: 1, ...config })
    },
    configure: (pool, config) => void Object.assign(pool.options, readOptions(config).driver),
    end: (pool) => pool.end().catch(() => undefined),
    clientIn: (pool) => {
      const { _clients: clients } = pool as unknown as DriverPool
      const open = clients.findLast((client) => client._connected && isOpen(client))
      return (open as unknown as GovernedPoolClient | undefined) ?? null
    },
    clientOf: (session) => session as GovernedPoolClient,
    onError: (pool, listener) => void pool.on('error', listener),
    checkout: (pool) => pool.connect(),
    release: (client) => client.release(),
    destroy: (client) => client.release(true),
    isOpen: (client) => isOpen(client as unknown as DriverClient),
    query: (pool, statement) => ask(pool, statement),
    queryOn: (client, statement) => ask(client, statement),
    transaction: (pool, work) => transaction(pool, work, { retries: 0 }),
    isPassing: (error) =>
      !LeaseholdError.is(error) && PASSING.includes((error as { code?: unknown } | null | undefined)?.code),
    finalSql: (statement) => configOf(statement).text,
  }
}

function isOpen(client: DriverClient): boolean {
  return client._queryable && !client._ending && !client._ended
}

async function ask(asked: { readonly query: GovernedQuery }, statement: Statement): Promise<unknown> {
  return resultOf(await asked.query(configOf(statement)))
}

function configOf({ sql, values, timeout, ...options }: Statement): pg.QueryConfig {
  const limit = timeout === undefined ? {} : { queryTimeoutMs: timeout }
  if (values === undefined) return { ...options, ...limit, text: sql }
  const list: unknown[] = Array.isArray(values) ? values : [values]
  return { ...options, ...limit, text: list.length === 0 ? sql : numbered(sql), values: list }
}
