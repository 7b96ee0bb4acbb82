// The governed module: what it is made of, and its clients outside a pool.
import { failureDetails, govern } from '@leasehold/pg-adapter'
import pg from 'pg'
import { describe, expect, it } from 'vitest'

import { eventually, rejection } from '../eventually.ts'
import { postgresUnderTest } from './server.ts'

describe('a governed module', () => {
  const under = postgresUnderTest()
  const governed = govern(pg)

  const sessionCount = async (): Promise<number> => (await under.server.sessions(under.target.user)).length
  let passwordsAsked = 0
  /** The second attempt: the first was refused, for it asks for the password before it is. */
  const triedAgain = async (connect: () => Promise<unknown>): Promise<void> => {
    const before = passwordsAsked
    connect().catch(() => {})
    await eventually('a second attempt is made', () => passwordsAsked > before + 1)
  }
  /** Connects while the server is full, and frees a slot when the first attempt was refused. */
  const connectLate = async (client: pg.Client): Promise<void> => {
    const free = await under.fill()
    const connecting = client.connect()
    await triedAgain(() => connecting)
    await free(1)
    await connecting
  }
  const target = (): pg.ClientConfig => ({
    ...under.target,
    password: () => {
      passwordsAsked += 1
      return under.target.password
    },
  })

  it('has the exports of the driver, and governed subclasses of Pool and Client', () => {
    expect(Object.keys(governed).toSorted()).toEqual(Object.keys(pg).toSorted())
    expect(governed.types).toBe(pg.types)
    expect(governed.defaults).toBe(pg.defaults)
    expect(new governed.Pool({ max: 1 })).toBeInstanceOf(pg.Pool)
    expect(new governed.Client()).toBeInstanceOf(pg.Client)
  })

  it('leaves the driver as it is', () => {
    expect(governed.Pool).not.toBe(pg.Pool)
    expect(new pg.Client()).not.toBeInstanceOf(governed.Client)
  })

  it('has a Pool that takes pool options and ours', async () => {
    const pool = new governed.Pool({ ...under.target, max: 1, maxLeaseMs: 60_000 })
    expect((await pool.query('select 1 as v')).rows).toEqual([{ v: 1 }])
    await pool.end()
  })

  it('connects a client, in promise style and in callback style', async () => {
    const first = new governed.Client(target())
    await first.connect()
    const second = new governed.Client(target())
    await new Promise<void>((resolve, reject) => {
      second.connect((error: Error | null) => (error ? reject(error) : resolve()))
    })
    for (const client of [first, second]) {
      expect((await client.query('select 1 as v')).rows).toEqual([{ v: 1 }])
      await client.end()
    }
  })

  it('takes options that hide the password from printing', async () => {
    const options = { ...under.target }
    Object.defineProperty(options, 'password', { enumerable: false })
    const client = new governed.Client(options)
    await client.connect()
    await client.end()
  })

  it('refuses to connect a client twice, as the driver does', async () => {
    const client = new governed.Client(target())
    await client.connect()
    expect((await rejection(client.connect())).message).toContain('already been connected')
    await client.end()
  })

  it('asks the server for a lease, and renews it while the client is idle', async () => {
    const client = new governed.Client({
      ...target(),
      minLeaseMs: 1_000,
      maxLeaseMs: 1_000,
    })
    await client.connect()
    expect((await client.query('show idle_session_timeout')).rows).toEqual([{ idle_session_timeout: '1s' }])
    const openedMs = performance.now()
    await eventually('the lease would be over', () => performance.now() - openedMs > 1_500)
    expect((await client.query('select 1 as v')).rows).toEqual([{ v: 1 }])
    await client.end()
  })

  it('connects a client when a slot is freed', async () => {
    const client = new governed.Client(target())
    await connectLate(client)
    expect((await client.query('select 1 as v')).rows).toEqual([{ v: 1 }])
    await client.end()
  })

  it('asks a password function again at every attempt', async () => {
    const before = passwordsAsked
    const client = new governed.Client(target())
    await connectLate(client)
    expect(passwordsAsked - before).toBeGreaterThan(1)
    await client.end()
  })

  it('sends no password that a slow function gives when its attempt is over', async () => {
    const late = Promise.withResolvers<string>()
    let asked = 0
    const client = new governed.Client({
      ...under.target,
      connectTimeoutMs: 200,
      password: async () => {
        asked += 1
        if (asked === 1) return late.promise
        late.resolve('too late')
        // Everything that the late answer sets off comes before this one.
        await new Promise((resolve) => setImmediate(resolve))
        return under.target.password
      },
    })
    await client.connect()
    expect(asked).toBe(2)
    await client.end()
  })

  it('answers queries that were asked before a refused connect', async () => {
    const client = new governed.Client(target())
    const answer = client.query('select 7 as v')
    await connectLate(client)
    expect((await answer).rows).toEqual([{ v: 7 }])
    await client.end()
  })

  it('keeps a listener on the connection over a refused connect', async () => {
    const client = new governed.Client(target())
    const seen: string[] = []
    const { connection } = client as unknown as { connection: NodeJS.EventEmitter }
    connection.on('parameterStatus', ({ parameterName }: { parameterName: string }) =>
      seen.push(parameterName),
    )
    await connectLate(client)
    expect(seen.filter((name) => name === 'server_version')).toHaveLength(1)
    await client.end()
  })

  it("gives up with the driver's own error, and details beside it", async () => {
    await under.fill()
    const client = new governed.Client({ ...target(), acquireTimeoutMs: 200 })
    const queued = rejection(client.query('select 1'))
    const error = await rejection(client.connect())
    expect(error).toBeInstanceOf(pg.DatabaseError)
    expect(error.code).toBe('53300')
    expect(failureDetails(error)).toMatchObject({ kind: 'saturated' })
    expect(await queued).toBe(error)
  })

  it('opens no session when a client is ended while it waits for a slot', async () => {
    const client = new governed.Client(target())
    let outcome: unknown
    const free = await under.fill()
    const connecting = client.connect().then(
      () => (outcome = 'connected'),
      (error: unknown) => (outcome = error),
    )
    await triedAgain(() => connecting)
    await client.end()
    await connecting
    await free()
    expect(outcome).toBeInstanceOf(Error)
    await eventually('no session is left', async () => (await sessionCount()) === 0)
  })

  it('emits end when a client is closed, as the driver does', async () => {
    const client = new governed.Client(target())
    let ends = 0
    client.on('end', () => (ends += 1))
    await client.connect()
    await client.end()
    await eventually('end is emitted', () => ends === 1)
  })

  it('never lets the end of an idle client be an uncaught exception', async () => {
    const client = new governed.Client(target())
    let over = false
    client.on('end', () => (over = true))
    await client.connect()
    const [{ id } = { id: 0 }] = (await client.query<{ id: number }>('select pg_backend_pid() as id')).rows
    await under.server.terminate(id)
    await eventually('the client sees its end', () => over)
  })
})
