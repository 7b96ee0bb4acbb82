// Pools and clients that stay as they are: what the application does with them is what the driver does.
import * as pgAdapter from '@leasehold/pg-adapter/govern'
import pg from 'pg'
import { describe, expect, it } from 'vitest'

import type { Parts } from '../../packages/attach/src/parts.ts'
import { attachPgClients } from '../../packages/attach/src/pg-clients.ts'
import { attachPgPools } from '../../packages/attach/src/pg-pools.ts'
import { findShape, type Kind } from '../../packages/attach/src/shapes.ts'

const leftAlone: Kind[] = []
const parts: Parts = {
  options: () => ({ acquireTimeoutMs: 200, connectTimeoutMs: 100 }),
  maxConnections: undefined,
  pgAdapter: () => pgAdapter,
  mysqlAdapter: () => {
    throw new Error('not asked for')
  },
  governed: () => undefined,
  leftOut: () => undefined,
  leftAlone: (kind) => void leftAlone.push(kind),
}
// Nobody listens there.
const NOWHERE = { host: '127.0.0.1', port: 1, user: 'app', password: 'app' }

it('a pool that was ended before it was used stays ended', async () => {
  attachPgPools(findShape(pg.Pool.prototype)?.prototype ?? {}, parts)
  const pool = new pg.Pool(NOWHERE)
  await pool.end()
  await expect(pool.query('select 1')).rejects.toThrow('after calling end on the pool')
})

describe('behind a Proxy', () => {
  it('a pool stays as it is, asked by way of the Proxy or not', async () => {
    attachPgPools(findShape(pg.Pool.prototype)?.prototype ?? {}, parts)
    const pool = new pg.Pool(NOWHERE)
    const wrapped = new Proxy(pool, {})
    await expect(wrapped.query('select 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await expect(pool.query('select 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await expect(pool.end()).resolves.toBeUndefined()
    expect(leftAlone.splice(0)).toContain('pg.Pool')
  })

  it('a client stays as it is, asked by way of the Proxy or not', async () => {
    attachPgClients(findShape(pg.Client.prototype)?.prototype ?? {}, parts)
    const client = new pg.Client(NOWHERE)
    client.on('error', () => undefined)
    const wrapped = new Proxy(client, {})
    await expect(wrapped.connect()).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await expect(client.end()).resolves.toBeUndefined()
    expect(leftAlone.splice(0)).toEqual(['pg.Client'])
  })
})
