// What a census costs the server's processor: on a fresh session, on a warm one, and beside other ways to count.
import { leaseLadder, resolveOptions } from '@leasehold/core'
import { type DatabaseServer, startMariadb, startMysql, startPostgres } from '@leasehold/test-databases'
import mysql2 from 'mysql2/promise'
import pg from 'pg'

import {
  censusStatement,
  MARIADB_PLACES,
  MYSQL_PLACES,
  newCensusSight,
} from '../../packages/mysql-adapter/src/census.ts'
import { censusAndLease, holds, SLOTS } from '../../packages/pg-adapter/src/census.ts'
import { median, short } from './statistics.ts'

const SESSIONS = [25, 100, 400] as const
const ROUNDS = 7
const FRESH = 60
const WARM = 300
const LEASE_MS = 2_000
const LABEL = 'lh:leasehold:340:tq3k1z:checkout-of-the-shop'

interface Asker {
  ask(statement: string): Promise<unknown>
  end(): Promise<unknown>
}

interface Measured {
  readonly name: string
  readonly start: () => Promise<DatabaseServer>
  readonly open: (server: DatabaseServer, leaseMs?: number) => Promise<Asker>
  readonly statements: Readonly<Record<string, string>>
}

const LADDER = leaseLadder(resolveOptions({}))
const ROOM = { maxConnections: SESSIONS[2] + 20 }

async function openPostgres(
  { host, port, database, login }: DatabaseServer,
  leaseMs: number = LEASE_MS,
): Promise<Asker> {
  const label = { application_name: LABEL, options: `-c idle_session_timeout=${leaseMs}` }
  const client = new pg.Client({ host, port, database, ...login, ...label })
  client.on('error', () => {})
  await client.connect()
  return { ask: (statement) => client.query(statement), end: () => client.end() }
}

async function openMysql({ host, port, database, login }: DatabaseServer): Promise<Asker> {
  const label = { connectAttributes: { leasehold: LABEL } }
  const connection = await mysql2.createConnection({ host, port, database, ...login, ...label })
  return { ask: (statement) => connection.query(statement), end: () => connection.end() }
}

const unlimited = (performanceSchema: boolean) => ({ limited: false, performanceSchema })

const SERVERS: readonly Measured[] = [
  {
    name: 'PostgreSQL 18',
    start: () => startPostgres(ROOM),
    open: openPostgres,
    statements: {
      'select 1': 'select 1',
      'all rows, counted by the client': `select datid, usesysid, leader_pid, application_name, s.*
        from pg_stat_get_activity(null), (select ${SLOTS} as slots, ${holds(LEASE_MS)} as held) s`,
      'first census': censusAndLease(LEASE_MS, LADDER, true),
      'later census': censusAndLease(LEASE_MS, LADDER, false),
    },
  },
  {
    name: 'MySQL 9.7',
    start: () => startMysql(ROOM),
    open: openMysql,
    statements: {
      'select 1': 'select 1',
      'first census': censusStatement(MYSQL_PLACES, newCensusSight(), 'leasehold'),
      'later census': censusStatement(MYSQL_PLACES, unlimited(true), 'leasehold'),
    },
  },
  {
    name: 'MariaDB 10.11',
    start: () => startMariadb(ROOM),
    open: openMysql,
    statements: {
      'select 1': 'select 1',
      'first census': censusStatement(MARIADB_PLACES, newCensusSight(), 'leasehold'),
      'later census': censusStatement(MARIADB_PLACES, unlimited(false), 'leasehold'),
    },
  },
]

export interface CensusCost {
  readonly server: string
  readonly statement: string
  readonly sessions: number
  /** Processor time of the server, above that of connecting and ending. */
  readonly freshMs: number
  readonly warmMs: number
  /** Processor time of this process for a warm one. */
  readonly clientMs: number
}

/** Processor time of the server for one `work`, in milliseconds. */
async function serverMs(
  server: DatabaseServer,
  count: number,
  work: () => Promise<unknown>,
): Promise<number> {
  const beforeMs = await server.cpuMs()
  for (let index = 0; index < count; index += 1) await work()
  return ((await server.cpuMs()) - beforeMs) / count
}

async function freshMs(measured: Measured, server: DatabaseServer, statement?: string): Promise<number> {
  return await serverMs(server, FRESH, async () => {
    const asker = await measured.open(server)
    if (statement !== undefined) await asker.ask(statement)
    await asker.end()
  })
}

async function warmMs(
  measured: Measured,
  server: DatabaseServer,
  statement: string,
): Promise<[number, number]> {
  const asker = await measured.open(server)
  for (let index = 0; index < 5; index += 1) await asker.ask(statement)
  const before = process.cpuUsage()
  const spentMs = await serverMs(server, WARM, () => asker.ask(statement))
  const { user, system } = process.cpuUsage(before)
  await asker.end()
  return [spentMs, (user + system) / 1_000 / WARM]
}

async function measureAt(
  measured: Measured,
  server: DatabaseServer,
  sessions: number,
): Promise<CensusCost[]> {
  const bare: number[] = []
  const names = Object.entries(measured.statements)
  const found = names.map(([name]) => ({
    name,
    fresh: [] as number[],
    warm: [] as number[],
    client: [] as number[],
  }))
  for (let round = 0; round < ROUNDS; round += 1) {
    bare.push(await freshMs(measured, server))
    for (const [index, [, statement]] of names.entries()) {
      const [spentMs, clientMs] = await warmMs(measured, server, statement)
      found[index]?.fresh.push(await freshMs(measured, server, statement))
      found[index]?.warm.push(spentMs)
      found[index]?.client.push(clientMs)
    }
  }
  return found.map(({ name, fresh, warm, client }) => ({
    server: measured.name,
    statement: name,
    sessions,
    freshMs: median(fresh) - median(bare),
    warmMs: median(warm),
    clientMs: median(client),
  }))
}

export async function measureCensus(): Promise<readonly CensusCost[]> {
  const costs: CensusCost[] = []
  for (const measured of SERVERS) {
    const server = await measured.start()
    const holders: Asker[] = []
    for (const sessions of SESSIONS) {
      while (holders.length < sessions) holders.push(await measured.open(server, 600_000))
      costs.push(...(await measureAt(measured, server, sessions)))
    }
    await server.dispose()
  }
  return costs
}

export function censusTable(costs: readonly CensusCost[]): string {
  return [
    '| server | statement | sessions | fresh, ms | warm, ms | client, ms |',
    '| ------ | --------- | -------- | --------- | -------- | ---------- |',
    ...costs.map(
      (cost) =>
        `| ${cost.server} | ${cost.statement} | ${cost.sessions} | ${short(cost.freshMs)} | ` +
        `${short(cost.warmMs)} | ${short(cost.clientMs)} |`,
    ),
  ].join('\n')
}
