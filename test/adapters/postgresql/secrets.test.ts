// What must not be printed: the password, whoever prints whatever of the pool.
import { inspect } from 'node:util'

import { createPool, govern, type GovernedPool } from '@leasehold/pg-adapter'
import pg from 'pg'
import { afterEach, describe, expect, it } from 'vitest'

import { eventually, rejection } from '../eventually.ts'
import { endAll, postgresUnderTest } from './server.ts'

/** Everything that a logger may print of an object. */
function printed(value: unknown): string {
  return inspect(value, { depth: Number.POSITIVE_INFINITY, getters: true })
}

describe('the password', () => {
  const under = postgresUnderTest()
  const pools: pg.Pool[] = []
  const open = (options: Parameters<typeof createPool>[0] = {}): GovernedPool => {
    const pool = createPool({ ...under.target, ...options })
    pools.push(pool)
    return pool
  }
  afterEach(() => endAll(pools))

  it('is not printed with a pool in use', async () => {
    const pool = open()
    await pool.query('select 1')
    expect(printed(pool)).not.toContain(under.target.password)
  })

  it('is not printed with a pool that has it in its connection string', async () => {
    const { user, password, host, port, database } = under.target
    const connectionString = `postgres://${user}:${password}@${host}:${port}/${database}`
    const pool = createPool({ connectionString })
    pools.push(pool)
    const client = await pool.connect()
    expect(pool.options).toMatchObject({ connectionString })
    expect(printed([pool, client])).not.toContain(password)
    client.release()
  })

  it('is not among the enumerable options, but can be read from them', () => {
    const { options } = open() as unknown as { options: Record<string, unknown> }
    expect(Object.keys(options)).not.toContain('password')
    expect(options['password']).toBe(under.target.password)
    expect(printed(options)).not.toContain(under.target.password)
  })

  it('is not printed with a client', async () => {
    const client = await open().connect()
    expect(printed(client)).not.toContain(under.target.password)
    client.release()
  })

  it('is not printed with a client that was refused and connected at a later attempt', async () => {
    const free = await under.fill()
    const pool = open({ password: () => Promise.resolve(under.target.password) })
    const connecting = pool.connect()
    await eventually('it was refused', () => pool.leasehold.stats().refused > 0)
    await free(1)
    const client = await connecting
    expect(printed(client)).not.toContain(under.target.password)
    client.release()
  })

  it('is not printed with the error of a refused login', async () => {
    const pool = open({ password: 'not-the-password' })
    expect(printed(await rejection(pool.connect()))).not.toContain('not-the-password')
  })

  it('is not printed with the error of a statement, nor with one of an idle client', async () => {
    const pool = open({ max: 1 })
    const errors: unknown[] = [await rejection(pool.query('selec 1'))]
    pool.on('error', (error) => errors.push(error))
    const [{ id } = { id: 0 }] = (await pool.query<{ id: number }>('select pg_backend_pid() as id')).rows
    // A census that the server does not answer any more is the pool's own affair.
    await eventually('the census is answered', () => pool.leasehold.stats().censuses === 1)
    await under.server.terminate(id)
    await eventually('the client is lost', () => errors.length === 2)
    expect(printed(errors)).not.toContain(under.target.password)
  })

  it('is not printed with a client of a governed module', async () => {
    const client = new (govern(pg).Client)({ ...under.target })
    await client.connect()
    expect(printed(client)).not.toContain(under.target.password)
    await client.end()
  })
})
