// Every style of asking that the driver has, on a governed pool.
import { createPool, type GovernedPool } from '@leasehold/pg-adapter'
import type pg from 'pg'
import Cursor from 'pg-cursor'
import QueryStream from 'pg-query-stream'
import { afterEach, describe, expect, it } from 'vitest'

import { eventually, rejection } from '../eventually.ts'
import { endAll, postgresUnderTest } from './server.ts'

interface Row {
  readonly n: number
}

describe('queries', () => {
  const under = postgresUnderTest()
  const pools: pg.Pool[] = []
  const open = (options: Parameters<typeof createPool>[0] = {}): GovernedPool => {
    const pool = createPool({ ...under.target, ...options })
    pools.push(pool)
    return pool
  }
  afterEach(() => endAll(pools))

  it('resolve with rows when text and values are given', async () => {
    expect((await open().query<Row>('select $1::int as n', [7])).rows).toEqual([{ n: 7 }])
  })

  it('call back when text, values and a callback are given', async () => {
    const pool = open()
    const given = await new Promise<unknown[]>((resolve) => {
      pool.query('select $1::int as n', [7], (...args) => resolve(args))
    })
    expect(given).toMatchObject([undefined, { rows: [{ n: 7 }] }])
  })

  it('call back when text and a callback are given', async () => {
    const pool = open()
    const [error] = await new Promise<unknown[]>((resolve) => {
      pool.query('selec 1', (...args) => resolve(args))
    })
    expect(error).toMatchObject({ code: '42601' })
    expect(pool.idleCount + pool.totalCount).toBe(0)
  })

  it('take a config object with a name, array rows and type parsers', async () => {
    const pool = open({ max: 1 })
    const config = {
      name: 'one',
      text: 'select $1::int as n',
      values: [7],
      rowMode: 'array' as const,
      types: { getTypeParser: () => (value: unknown) => `<${String(value)}>` },
    }
    for (let turn = 0; turn < 2; turn += 1) expect((await pool.query(config)).rows).toEqual([['<7>']])
  })

  it('take a cursor on a client', async () => {
    const client = await open().connect()
    const cursor = client.query(new Cursor<Row>('select n from generate_series(1, 5) as n'))
    expect(await cursor.read(2)).toEqual([{ n: 1 }, { n: 2 }])
    expect(await cursor.read(9)).toEqual([{ n: 3 }, { n: 4 }, { n: 5 }])
    await cursor.close()
    client.release()
  })

  it('take a stream on a client', async () => {
    const client = await open().connect()
    const stream = client.query(new QueryStream('select n from generate_series(1, 300) as n'))
    const rows = (await stream.toArray()) as Row[]
    expect(rows.map(({ n }) => n)).toEqual(Array.from({ length: 300 }, (_, index) => index + 1))
    client.release()
  })

  it('count as activity when they are answered, so that a client in use needs no ping', async () => {
    const pool = open({ max: 1, lease: 'off', pingAfterIdleMs: 300 })
    for (let turn = 0; turn < 5; turn += 1) await pool.query('select pg_sleep(0.1)')
    expect(pool.leasehold.stats()).toMatchObject({ opened: 1, reused: 4, pinged: 0 })
  })

  it('leave a half-read cursor alone when its lease is renewed', async () => {
    const pool = open({ minLeaseMs: 1_000, maxLeaseMs: 1_000 })
    const client = await pool.connect()
    const plain = await pool.connect()
    const cursor = client.query(new Cursor<Row>('select n from generate_series(1, 3) as n'))
    expect(await cursor.read(1)).toEqual([{ n: 1 }])
    await eventually('the other client is renewed twice', () => pool.leasehold.stats().renewed >= 2)
    expect(await cursor.read(9)).toEqual([{ n: 2 }, { n: 3 }])
    await cursor.close()
    client.release()
    plain.release()
  })

  it('notify a client that listens, however long it has been idle', async () => {
    const pool = open({ minLeaseMs: 1_000, maxLeaseMs: 1_000 })
    const client = await pool.connect()
    const heard: string[] = []
    client.on('notification', ({ payload }) => heard.push(payload ?? ''))
    await client.query('listen news')
    await eventually('the lease is renewed', () => pool.leasehold.stats().renewed >= 2)
    await pool.query(`notify news, 'hello'`)
    await eventually('the notification arrives', () => heard.length > 0)
    expect(heard).toEqual(['hello'])
    client.release()
  })

  it('are refused with a function as their text, as in the driver', async () => {
    const pool = open()
    const query = pool.query as unknown as (text: () => void) => Promise<unknown>
    const error = await new Promise<unknown>((resolve) => {
      void query.call(pool, resolve as () => void)
    })
    expect(error).toMatchObject({ message: expect.stringContaining('not supported') })
  })

  it('finish when the pool ends while their connections are being made', async () => {
    const pool = open({ max: 4 })
    const answers = [1, 2, 3, 4].map((n) => pool.query<Row>('select $1::int as n', [n]))
    await pool.end()
    expect((await Promise.all(answers)).map(({ rows }) => rows[0]?.n)).toEqual([1, 2, 3, 4])
  })

  it('finish when the pool ends while they run', async () => {
    const pool = open()
    const client = await pool.connect()
    const answer = client.query<Row>('select 1 as n from pg_sleep(0.1)')
    const ended = pool.end()
    expect((await answer).rows).toEqual([{ n: 1 }])
    client.release()
    await ended
  })

  it('fail when the pool ends while they wait for another to give its client back', async () => {
    const pool = open({ max: 1 })
    const client = await pool.connect()
    const answer = rejection(pool.query('select 1'))
    const ended = pool.end()
    expect((await answer).message).toContain('after calling end')
    client.release()
    await ended
  })

  it('fail, and the pool ends, when they wait for a slot as the pool ends', async () => {
    await under.fill()
    const pool = open()
    const answer = rejection(pool.query('select 1'))
    await eventually('it was refused', () => pool.leasehold.stats().refused > 0)
    await pool.end()
    expect((await answer).message).toContain('after calling end')
  })

  it('are answered when a slot is freed after refusals', async () => {
    const free = await under.fill()
    const pool = open()
    const answer = pool.query<Row>('select 7 as n')
    await eventually('it was refused', () => pool.leasehold.stats().refused > 0)
    await free(1)
    expect((await answer).rows).toEqual([{ n: 7 }])
  })
})
