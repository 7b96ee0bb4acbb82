// A request that was refused asks again by a bare socket, until the server greets it; everything else is the driver's.
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout } from 'node:timers/promises'

import { createPool, type GovernedPool, type PoolOptions } from '@leasehold/mysql-adapter'
import { afterEach, describe, expect, it } from 'vitest'

import { quietLog } from '../quiet-log.ts'
import { onEveryServer } from './server.ts'

/** What a full server says instead of its greeting. */
function refusal(errno = 1040, text = 'Too many connections'): Buffer {
  const payload = Buffer.concat([Buffer.from([0xff, errno & 0xff, errno >> 8]), Buffer.from(text)])
  return Buffer.concat([Buffer.from([payload.length, 0, 0, 0]), payload])
}

/** What the door does with the connection of this number, from 1. Undefined: the server behind it takes it. */
type Doing = (client: Socket) => void

await onEveryServer((under) => {
  const doors: Server[] = []
  const pools: GovernedPool[] = []
  const clients: Socket[] = []
  afterEach(() => {
    for (const pool of pools.splice(0)) pool.end(() => {})
    for (const client of clients.splice(0)) client.destroy()
    for (const door of doors.splice(0)) door.close()
  })

  async function start(
    doings: readonly (Doing | undefined)[],
    options: PoolOptions = {},
  ): Promise<{ pool: GovernedPool; heard: () => string[] }> {
    const { host, port } = under.target
    const heard: string[] = []
    const door = createServer((client) => {
      const index = heard.push('') - 1
      clients.push(client)
      client.on('error', () => {})
      client.on('data', (data) => (heard[index] += data.toString('latin1')))
      const doing = doings[index]
      if (doing !== undefined) return doing(client)
      const server = connect({ host, port })
      server.on('error', () => {})
      client.pipe(server).pipe(client)
    })
    doors.push(door)
    door.listen(0, '127.0.0.1')
    await once(door, 'listening')
    const bound = door.address() as { port: number }
    const pool = createPool({
      ...{ ...under.target, port: bound.port, connectionLimit: 1, logger: quietLog() },
      ...options,
    })
    pools.push(pool)
    return { pool, heard: () => heard }
  }

  const refuse: Doing = (client) => client.end(refusal())
  /** In pieces, as a network may deliver it. */
  const refuseSlowly: Doing = (client) => {
    client.setNoDelay(true)
    const speak = async (): Promise<void> => {
      for (const byte of refusal()) {
        client.write(Buffer.from([byte]))
        await setTimeout(1)
      }
      client.end()
    }
    void speak()
  }
  const value = async (pool: GovernedPool): Promise<unknown> =>
    ((await pool.promise().query('select 7 as v')) as unknown as [{ v: number }[]])[0][0]?.v

  it('is let in at last, and the socket that was greeted is the one that it uses', async () => {
    const { pool, heard } = await start([refuse, refuse, refuseSlowly, refuse])
    expect(await value(pool)).toBe(7)
    expect(await value(pool)).toBe(7)
    expect(heard()).toHaveLength(5)
    expect(pool.leasehold.stats()).toMatchObject({ opened: 1, refused: 4, retriedSaturated: 4, failed: 0 })
  })

  it('leaves nothing of the socket in the config by which a statement on it is cancelled', async () => {
    const { pool, heard } = await start([refuse, refuse])
    expect(await value(pool)).toBe(7)
    const stop = new AbortController()
    const asked = pool
      .promise()
      .query({ sql: 'select sleep(5)', signal: stop.signal })
      .catch((thrown: unknown) => thrown)
    await setTimeout(100)
    stop.abort(new Error('enough'))
    expect(await asked).toMatchObject({ message: 'enough' })
    expect(heard()).toHaveLength(4)
    expect(await value(pool)).toBe(7)
    expect(pool.leasehold.stats()).toMatchObject({ opened: 1, cancelled: 1 })
  })

  it('keeps the logins of several that wait at once apart', async () => {
    const second = await under.server.createLogin()
    const { user, password } = under.target
    const logins = [{ user, password }, second, { user, password }, second]
    let asked = 0
    const credentials = {
      isClearText: false,
      get: () => Promise.resolve(logins[asked++ % logins.length]),
    }
    const { pool } = await start(
      Array.from({ length: 8 }, () => refuse),
      { credentials, connectionLimit: 4 },
    )
    const whose = async (): Promise<unknown> => {
      const connection = await pool.promise().getConnection()
      const [rows] = (await connection.query('select user() as u')) as unknown as [{ u: string }[]]
      return rows[0]?.u.split('@')[0]
    }
    const users = await Promise.all([whose(), whose(), whose(), whose()])
    expect(users.every((name) => name === user || name === second.user)).toBe(true)
    expect(pool.leasehold.stats()).toMatchObject({ opened: 4, denied: 0 })
  })

  it.each(under.tls)('logs in through TLS on that socket (%o)', async (ssl) => {
    const { pool, heard } = await start([refuse, refuse], { ssl })
    expect(await value(pool)).toBe(7)
    const [cipher] = (await pool.promise().query("show status like 'Ssl_cipher'")) as unknown as [
      { Value: string }[],
    ]
    expect(cipher[0]?.Value).not.toBe('')
    expect(heard()).toHaveLength(3)
  })

  it("fails with the driver's own refusal when its time is over", async () => {
    const { pool } = await start(
      Array.from({ length: 100 }, () => refuse),
      { acquireTimeoutMs: 700 },
    )
    const error = await pool
      .promise()
      .query('select 1')
      .catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      code: 'ER_CON_COUNT_ERROR',
      errno: 1040,
      leasehold: { kind: 'saturated', attempts: expect.any(Number) },
    })
    expect(pool.leasehold.stats().refused).toBeGreaterThan(2)
  })

  it.each([
    ['another error', (client: Socket) => client.end(refusal(1129, 'Host is blocked')), 'ER_HOST_IS_BLOCKED'],
    ['something that is no greeting', (client: Socket) => client.end('HTTP/1.1 400\r\n\r\n'), undefined],
  ])('leaves it to the driver to say what is wrong with %s', async (_what, answer, code) => {
    const { pool } = await start([refuse, ...Array.from({ length: 50 }, () => answer)], {
      acquireTimeoutMs: 1_000,
      resumeBudgetMs: 500,
    })
    const error = await pool
      .promise()
      .query('select 1')
      .catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(Error)
    if (code !== undefined) expect(error).toMatchObject({ code })
  })

  it('goes the ordinary way where the door closes without a word', async () => {
    const { pool } = await start([refuse, (client) => client.end(), (client) => client.destroy()])
    expect(await value(pool)).toBe(7)
    expect(pool.leasehold.stats()).toMatchObject({ opened: 1, failed: 0 })
  })

  it('waits for nobody who says nothing for longer than for an attempt', async () => {
    const { pool } = await start([refuse, () => {}], { connectTimeoutMs: 300, acquireTimeoutMs: 3_000 })
    const startMs = performance.now()
    expect(await value(pool)).toBe(7)
    expect(performance.now() - startMs).toBeGreaterThan(300)
    expect(performance.now() - startMs).toBeLessThan(3_000)
  })

  it('is over at once when the pool ends, and leaves no socket behind', async () => {
    const { pool, heard } = await start([refuse, () => {}], { acquireTimeoutMs: 10_000 })
    const failed = value(pool).catch((thrown: unknown) => thrown)
    while (heard().length < 2) await setTimeout(5)
    const last = clients.at(-1) as Socket
    const gone = once(last, 'close')
    pool.end(() => {})
    expect(await failed).toMatchObject({ message: 'Pool is closed.' })
    await gone
  })

  describe('a socket of the application’s own making', () => {
    it('is not asked for more often than the driver would', async () => {
      let made = 0
      const { host, port } = under.target
      const stream = (): Socket => {
        made += 1
        return connect({ host, port })
      }
      const { pool, heard } = await start([], { stream })
      expect(await value(pool)).toBe(7)
      expect(made).toBe(1)
      expect(heard()).toEqual([])
    })
  })
})
