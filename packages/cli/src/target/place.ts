/** Where a driver would connect to with given options: read by the driver itself, so that nothing is guessed. */

import { type Env, isRdsHost, splitOptions } from '@leasehold/core'
import mysql2 from 'mysql2'
import pg from 'pg'

import type { PoolOptions, Protocol } from './target.ts'

export interface Place {
  readonly host: string
  readonly port: number
  readonly user: string | undefined
  readonly database: string | undefined
  /** Hidden from printing. Undefined where none was given. */
  readonly password: string | undefined
  readonly tls: WantedTls
}

export interface WantedTls {
  /** `default`: nobody said so, but towards RDS it is on. */
  readonly wanted: 'yes' | 'no' | 'default'
  /** For `tls.connect`, as the driver would give them. */
  readonly options: Readonly<Record<string, unknown>>
  /** The certificate must come from an authority that is trusted. */
  readonly verifiesChain: boolean
  /** The certificate must be for the host. */
  readonly verifiesName: boolean
  /** TLS from the first byte, without the question that comes before it (PostgreSQL 17). */
  readonly isDirect: boolean
}

/** A socket of this machine, not a host. */
export function isLocalSocket({ host }: Pick<Place, 'host'>): boolean {
  return host.startsWith('/')
}

/** Opens nothing. */
export function placeOf(protocol: Protocol, options: PoolOptions, env: Env): Place {
  const place = protocol === 'postgresql' ? onPostgres(options, env) : onMysql(options)
  const { password } = place
  return Object.defineProperty(place, 'password', { get: () => password, enumerable: false })
}

interface ReadByPg {
  readonly host: string
  readonly port: number
  readonly user: string | undefined
  readonly database: string | undefined
  readonly password: unknown
  readonly ssl: unknown
  readonly sslNegotiation?: string
}

function onPostgres(options: PoolOptions, env: Env): Place {
  const { driver } = splitOptions(options)
  const client = new pg.Client(driver) as unknown as ReadByPg
  const { host, port, user, database, password, ssl, sslNegotiation } = client
  const given = textOf(options['connectionString']) ?? ''
  const isSaid = options['ssl'] !== undefined || env['PGSSLMODE'] !== undefined || /[?&]ssl/.test(given)
  const members = membersOf(ssl)
  const isDefault = !ssl && !isSaid && isRdsHost(host)
  const verifiesChain = isDefault || (Boolean(ssl) && members['rejectUnauthorized'] !== false)
  return {
    host,
    port,
    user: textOf(user),
    database: textOf(database),
    password: textOf(password),
    tls: {
      wanted: isDefault ? 'default' : ssl ? 'yes' : 'no',
      options: members,
      verifiesChain,
      verifiesName: verifiesChain && members['checkServerIdentity'] === undefined,
      isDirect: sslNegotiation === 'direct',
    },
  }
}

interface ReadByMysql {
  readonly config: { readonly connectionConfig: Readonly<Record<string, unknown>> }
}

function onMysql(options: PoolOptions): Place {
  const { driver } = splitOptions(options)
  const pool = mysql2.createPool(driver as mysql2.PoolOptions)
  const { connectionConfig: read } = (pool as unknown as ReadByMysql).config
  const host = textOf(read['socketPath']) ?? textOf(read['host']) ?? 'localhost'
  const members = membersOf(read['ssl'])
  const isDefault = !read['ssl'] && options['ssl'] === undefined && isRdsHost(host)
  return {
    host,
    port: Number(read['port'] ?? 3306),
    user: textOf(read['user']),
    database: textOf(read['database']),
    password: textOf(read['password']),
    tls: {
      wanted: isDefault ? 'default' : read['ssl'] ? 'yes' : 'no',
      options: members,
      verifiesChain: isDefault || (Boolean(read['ssl']) && members['rejectUnauthorized'] !== false),
      // The driver leaves the name unchecked unless it is told otherwise.
      verifiesName: isDefault || members['verifyIdentity'] === true,
      isDirect: false,
    },
  }
}

function membersOf(ssl: unknown): Readonly<Record<string, unknown>> {
  if (typeof ssl !== 'object' || ssl === null) return {}
  // A private key may be hidden from printing.
  const names = Object.getOwnPropertyNames(ssl)
  return Object.fromEntries(names.map((name) => [name, (ssl as Record<string, unknown>)[name]]))
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
