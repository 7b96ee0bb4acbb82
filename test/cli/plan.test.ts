import { startMariadb, startMysql, startPostgres } from '@leasehold/test-databases'
import type { DatabaseServer } from '@leasehold/test-databases'
import mysql2 from 'mysql2/promise'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

import { leasehold } from './run.ts'

const LOAD = ['--rate', '50', '--work-ms', '20']

interface Found {
  readonly limit: { readonly source: string; readonly isEstimate: boolean }
  readonly holds: boolean
  readonly slots: Readonly<Record<string, number>>
}

function urlOf({ engine, host, port, database, login }: DatabaseServer): string {
  const scheme = engine === 'postgresql' ? 'postgres' : 'mysql'
  return `${scheme}://${login.user}@${host}:${port}/${database}`
}

/** A session that nobody governs. */
async function openBare({
  engine,
  host,
  port,
  database,
  login,
}: DatabaseServer): Promise<{ end(): Promise<void> }> {
  if (engine !== 'postgresql') return mysql2.createConnection({ host, port, database, ...login })
  const client = new pg.Client({ host, port, database, ...login })
  await client.connect()
  return client
}

describe.each([
  ['PostgreSQL', () => startPostgres({ maxConnections: 40 }), { reservedCount: 3, maxConnections: 40 }],
  ['MariaDB', () => startMariadb({ maxConnections: 40 }), { reservedCount: 0, maxConnections: 40 }],
  ['MySQL', () => startMysql({ maxConnections: 40 }), { reservedCount: 0 }],
] as const)('a plan for a running %s', (_name, start, expected) => {
  let server: DatabaseServer
  const bare: { end(): Promise<void> }[] = []
  beforeAll(async () => {
    server = await start()
  })
  afterEach(async () => {
    for (const session of bare.splice(0)) await session.end()
  })
  afterAll(() => server?.dispose())

  const plan = async (...args: string[]): Promise<Found> => {
    const password = { LEASEHOLD_PASSWORD: server.login.password }
    const { exitCode, stdout, stderr } = await leasehold(
      ['plan', urlOf(server), ...LOAD, '--json', ...args],
      password,
    )
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    return JSON.parse(stdout) as Found
  }

  it('has the limit from the server, and what it keeps of it', async () => {
    const { limit, holds, slots } = await plan()
    expect(limit).toMatchObject({
      isEstimate: false,
      source: expect.stringContaining('read from the server'),
    })
    expect(slots).toMatchObject(expected)
    expect(slots['maxConnections']).toBe(
      server.slots + server.controlSessions + (slots['reservedCount'] ?? 0),
    )
    expect(slots['otherCount']).toBe(server.controlSessions)
    expect(holds).toBe(true)
  })

  it("counts sessions that nobody governs as other applications', unless told otherwise", async () => {
    for (let index = 0; index < 3; index += 1) bare.push(await openBare(server))
    const { slots } = await plan()
    expect(slots['otherCount']).toBe(3 + server.controlSessions)
    const { slots: asTold } = await plan('--others', '1')
    expect(asTold['otherCount']).toBe(1)
  })

  it('leaves no session behind', async () => {
    await plan()
    await expect.poll(async () => (await server.sessions()).length).toBe(0)
  })

  it('says that the server refused the login, and how to go on', async () => {
    const { exitCode, stderr } = await leasehold(['plan', urlOf(server), ...LOAD], {
      LEASEHOLD_PASSWORD: 'wrong',
    })
    expect(exitCode).toBe(1)
    expect(stderr).toMatch(/could not be asked for its limit \(\w+\).*leasehold doctor.*--max-connections/su)
    expect(stderr).not.toContain('wrong')
  })
})

describe('a plan for a login with a limit of its own', () => {
  let server: DatabaseServer | undefined
  afterAll(() => server?.dispose())

  it('has no more slots than that', async () => {
    server = await startPostgres({ maxConnections: 40 })
    await server.admin(`alter role ${server.login.user} connection limit 11`)
    const password = { LEASEHOLD_PASSWORD: server.login.password }
    const { stdout } = await leasehold(['plan', urlOf(server), ...LOAD, '--json'], password)
    expect((JSON.parse(stdout) as Found).slots['functionsCount']).toBe(11)
  })
})
