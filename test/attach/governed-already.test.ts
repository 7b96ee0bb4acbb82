// What the application governs by itself, by the adapters, is governed once where attachment is there as well.
import type { Socket } from 'node:net'

import * as mysqlAdapter from '@leasehold/mysql-adapter/govern'
import * as pgAdapter from '@leasehold/pg-adapter/govern'
import { type DatabaseServer, startMariadb, startPostgres } from '@leasehold/test-databases'
import mysql2 from 'mysql2'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'

import { attachMysqlConnections } from '../../packages/attach/src/mysql-connections.ts'
import type { Parts } from '../../packages/attach/src/parts.ts'
import { attachPgClients } from '../../packages/attach/src/pg-clients.ts'
import { findShape, type Kind } from '../../packages/attach/src/shapes.ts'

const governed: Kind[] = []
const parts: Parts = {
  options: () => ({ fleet: 'attached' }),
  maxConnections: undefined,
  pgAdapter: () => pgAdapter,
  mysqlAdapter: () => mysqlAdapter,
  governed: (kind) => void governed.push(kind),
  leftOut: () => undefined,
  leftAlone: (_, because) => {
    throw because
  },
}

let postgres: DatabaseServer
let mariadb: DatabaseServer

beforeAll(async () => {
  // Before attachment: they have connections of their own.
  ;[postgres, mariadb] = await Promise.all([startPostgres(), startMariadb()])
  const { Connection } = mysql2 as unknown as { Connection: { prototype: object } }
  attachMysqlConnections(findShape(Connection.prototype)?.prototype ?? {}, parts)
  attachPgClients(findShape(pg.Client.prototype)?.prototype ?? {}, parts)
})
afterAll(async () => {
  await Promise.all([postgres?.dispose(), mariadb?.dispose()])
})

const optionsOf = ({ host, port, database, login }: DatabaseServer) => ({ host, port, database, ...login })

describe('attachment beside the adapters', () => {
  it('leaves a connection of mysql2 to the adapter that made it', async () => {
    const options = optionsOf(mariadb)
    const own = mysqlAdapter.govern(mysql2).createConnection({ ...options, fleet: 'own' })
    const found = mysql2.createConnection(options)
    expect(governed.splice(0)).toEqual(['mysql2 connection'])
    for (const connection of [own, found]) {
      const [rows] = await connection.promise().query('select 1 as one')
      expect(rows).toEqual([{ one: 1 }])
      connection.destroy()
    }
  })

  it('leaves a client of pg to the adapter that made it', async () => {
    const { Client } = pgAdapter.govern(pg)
    const clients = [new Client({ ...optionsOf(postgres), fleet: 'own' }), new pg.Client(optionsOf(postgres))]
    for (const client of clients) {
      await client.connect()
      expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
      await client.end()
    }
    expect(governed.splice(0)).toEqual(['pg.Client'])
  })

  it('logs in for the session that comes next as for the first', async () => {
    const options = { enableChannelBinding: true, scramMaxIterations: 20_000, pipeline: true }
    const client = new pg.Client({ ...optionsOf(postgres), ...options })
    await client.connect()
    const ended = new Promise<void>((resolve) => {
      client.once('end', resolve)
    })
    const { connection } = client as unknown as { connection: { stream: Socket } }
    connection.stream.destroy()
    await ended
    const connect = vi.spyOn(pg.Client.prototype, 'connect')
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    expect(connect.mock.contexts).toEqual([expect.objectContaining(options)])
    connect.mockRestore()
    await client.end()
    governed.splice(0)
  })

  it('governs a client of pg whatever limits it was given', async () => {
    const client = new pg.Client({
      ...optionsOf(postgres),
      application_name: 'shop',
      connectionTimeoutMillis: 5_000,
      idle_in_transaction_session_timeout: 10_000,
      keepAlive: true,
      keepAliveInitialDelayMillis: 2_000,
      lock_timeout: 10_000,
      query_timeout: 10_000,
      statement_timeout: 10_000,
    })
    await client.connect()
    expect((await client.query('show statement_timeout')).rows).toEqual([{ statement_timeout: '10s' }])
    await client.end()
    expect(governed.splice(0)).toEqual(['pg.Client'])
  })
})
