import { EventEmitter } from 'node:events'

import { describe, expect, it } from 'vitest'

import type { Methods } from '../src/graft.ts'
import { type PgClient, steady } from '../src/pg-steady.ts'

const GOVERNOR = Symbol.for('leasehold.pg.governor')

interface Asked {
  readonly text?: string
  readonly name?: string
}

/** One session of a driver, told what its server would do. */
class FakeClient extends EventEmitter {
  readonly sent: Asked[] = []
  readonly connection = {
    stream: { destroyed: false, destroy: () => Object.assign(this.connection.stream, { destroyed: true }) },
    parsedStatements: {} as Record<string, string>,
  }
  readonly lease = { idle: 0, idleMs: () => this.lease.idle }
  inTransaction = false
  readonly governed = {
    hands: {
      inTransaction: () => this.inTransaction,
      quiet: () => this.readyForQuery && !this.inTransaction,
    },
    lease: this.lease,
  }
  alive: Promise<boolean> = Promise.resolve(true)
  readonly [GOVERNOR] = { options: { pingAfterIdleMs: 1_000 }, alive: (): Promise<boolean> => this.alive }
  readyForQuery = true
  _connected = true
  _ending = false
  _queryable = true
  _activeQuery: object | null = null
  _queryQueue: object[] = []
  _sentQueryQueue: object[] = []
  _txStatus: string | null = 'I'
  _Promise = Promise

  connect(): Promise<this> {
    return Promise.resolve(this)
  }

  query(config: unknown): unknown {
    const asked = typeof config === 'string' ? { text: config } : (config as Asked)
    this.sent.push(asked)
    if (asked.name !== undefined) this.connection.parsedStatements[asked.name] ??= asked.text ?? ''
    return Promise.resolve()
  }
}

interface Steady {
  query(config: unknown): unknown
  getTransactionStatus(): unknown
}

function scene(): { client: FakeClient; another: FakeClient; asked: Steady } {
  const client = new FakeClient()
  const another = new FakeClient()
  const governed: Methods = { query: FakeClient.prototype.query }
  const asked = steady(client as unknown as PgClient, governed, () => another as unknown as PgClient)
  return { client, another, asked: asked as unknown as Steady }
}

const submit = (): undefined => undefined
const texts = ({ sent }: FakeClient): unknown[] => sent.map(({ text }) => text)

describe('a client of pg outside a pool', () => {
  it('tells another session the text of a statement that is asked for by its name alone', () => {
    const { client, another, asked } = scene()
    asked.query({ name: 'all', text: 'select * from shops' })
    client._queryable = false
    asked.query('select 1')
    asked.query({ name: 'all' })
    expect(another.sent).toEqual([{ text: 'select 1' }, { name: 'all', text: 'select * from shops' }])
  })

  it('hands a statement of a class of its own over as it is', () => {
    const { client, another, asked } = scene()
    asked.query({ name: 'all', text: 'select * from shops' })
    client._queryable = false
    asked.query('select 1')
    const submittable = { submit, name: 'all' }
    asked.query(submittable)
    expect(another.sent.at(-1)).toBe(submittable)
  })

  it('asks nothing of a session on which something runs that has no text', async () => {
    const { client, asked } = scene()
    client.alive = Promise.resolve(false)
    client.lease.idle = 5_000
    client.readyForQuery = false
    // As a stream of rows is.
    client._activeQuery = { submit }
    await asked.query('select 1')
    expect(client.connection.stream.destroyed).toBe(false)
    expect(texts(client)).toEqual(['select 1'])
  })

  it('asks nothing of a session where statements are under way behind the renewal of its lease', async () => {
    const { client, asked } = scene()
    client.alive = Promise.resolve(false)
    client.lease.idle = 5_000
    client.readyForQuery = false
    client._activeQuery = { text: '' }
    client._sentQueryQueue.push({ text: 'select pg_sleep(2)' })
    await asked.query('select 1')
    expect(client.connection.stream.destroyed).toBe(false)
  })

  it.each([
    ['is not known', { submit }],
    ['is that of its cursor', { submit, cursor: { text: 'listen orders' } }],
  ])('stays with its session where that ran something whose text %s', (_, submittable) => {
    const { client, another, asked } = scene()
    asked.query(submittable)
    client._queryable = false
    asked.query('select 1')
    expect(another.sent).toEqual([])
  })

  it('goes on elsewhere after a stream of rows', () => {
    const { client, another, asked } = scene()
    asked.query({ submit, cursor: { text: 'select 1' } })
    client._queryable = false
    asked.query('select 2')
    expect(texts(another)).toEqual(['select 2'])
  })

  it('lets no statement overtake those that wait for the answer whether the session is there', async () => {
    const { client, asked } = scene()
    client.lease.idle = 5_000
    const { promise, resolve } = Promise.withResolvers<boolean>()
    client.alive = promise
    asked.query('begin')
    resolve(true)
    const expected = ['begin']
    for (let turn = 0; turn < 12; turn += 1) {
      await Promise.resolve()
      asked.query(`insert ${turn}`)
      expected.push(`insert ${turn}`)
      client.lease.idle = 0
    }
    await new Promise(setImmediate)
    expect(texts(client)).toEqual(expected)
  })

  it('takes no statement behind a transaction that the session did not live to begin', () => {
    const { client, another, asked } = scene()
    asked.query('begin')
    client.readyForQuery = false
    client._queryable = false
    asked.query('insert into t values (1)')
    expect(another.sent).toEqual([])
  })

  it('tells the state of the transaction on the session that it has', () => {
    const { client, another, asked } = scene()
    client._queryable = false
    asked.query('begin')
    another._txStatus = 'T'
    expect(asked.getTransactionStatus()).toBe('T')
  })
})
