import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { Socket } from 'node:net'

import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'

import { startPostgres, startRelay } from '../src/index.ts'
import type { DatabaseServer, Relay } from '../src/index.ts'

const POLL = { timeout: 5000, interval: 10 }

describe('a relay in front of PostgreSQL', () => {
  let server: DatabaseServer
  let relay: Relay
  const clients = new Set<Client>()

  beforeAll(async () => {
    server = await startPostgres()
    await server.admin('create table work (id int)')
    await server.admin('grant all on work to app')
  })

  afterAll(() => server.dispose())

  beforeEach(async () => {
    relay = await startRelay(server)
    await server.admin('truncate work')
  })

  afterEach(async () => {
    await relay.close()
    await vi.waitFor(async () => expect(await server.sessions()).toEqual([]), POLL)
    clients.clear()
  })

  async function login(connectionTimeoutMillis = 5000): Promise<Client> {
    const { host, port } = relay
    const { login: credentials, database } = server
    const client = new Client({ ...credentials, host, port, database, connectionTimeoutMillis })
    client.on('error', () => undefined)
    clients.add(client)
    await client.connect()
    return client
  }

  it('passes logins and statements through, and counts the connections', async () => {
    const client = await login()
    await login()
    expect((await client.query<{ sum: number }>('select 1 + 1 as sum')).rows).toEqual([{ sum: 2 }])
    expect(relay.connections).toBe(2)
  })

  it('passes the end of the client on to the server', async () => {
    const client = await login()
    await client.end()
    await vi.waitFor(async () => expect(await server.sessions()).toEqual([]), POLL)
    await vi.waitFor(() => expect(relay.connections).toBe(0), POLL)
  })

  it('passes the end of the session on to the client', async () => {
    const client = await login()
    const ended = new Promise<void>((resolve) => client.once('end', resolve))
    const [session] = await server.sessions()
    await server.terminate(session?.id ?? 0)
    await ended
    await vi.waitFor(() => expect(relay.connections).toBe(0), POLL)
  })

  it('in a black hole answers no statement, and leaves the session of a vanished client open', async () => {
    const client = await login()
    relay.blackhole()
    const unanswered = client.query('insert into work values (1)')
    unanswered.catch(() => undefined)
    client.connection.stream.destroy()
    await expect(unanswered).rejects.toThrow('Connection terminated')
    expect(await server.sessions()).toMatchObject([{ user: 'app', idle: true }])
    expect(await server.admin('select * from work')).toEqual([])
    expect(relay.connections).toBe(1)
  })

  it('in a black hole keeps a client open whose session the server has ended', async () => {
    const client = await login()
    relay.blackhole()
    const ended = vi.fn<() => void>()
    client.connection.stream.on('close', ended)
    const [session] = await server.sessions()
    await server.terminate(session?.id ?? 0)
    await vi.waitFor(async () => expect(await server.sessions()).toEqual([]), POLL)
    // What the server sent has arrived by the time that the answer to a later question has.
    await server.admin('select 1')
    expect(ended).not.toHaveBeenCalled()
  })

  it('in a black hole accepts new connections and stays silent', async () => {
    relay.blackhole()
    await expect(login(200)).rejects.toThrow('timeout')
    expect(await server.sessions()).toEqual([])
  })

  it('after a black hole serves new connections, and the lost ones stay lost', async () => {
    const lost = await login()
    relay.blackhole()
    relay.resume()
    const client = await login()
    expect((await client.query('select 1')).rowCount).toBe(1)
    const unanswered = lost.query('select 1')
    const answered = client.query('select 2').then(() => 'the other one')
    expect(await Promise.race([unanswered, answered])).toBe('the other one')
    relay.reset()
    await expect(unanswered).rejects.toMatchObject({ code: 'ECONNRESET' })
  })

  it('resets what is connected and goes on accepting', async () => {
    const client = await login()
    const broken = expect(client.query('select pg_sleep(10)')).rejects.toMatchObject({ code: 'ECONNRESET' })
    await vi.waitFor(async () => expect(await server.sessions()).toMatchObject([{ idle: false }]), POLL)
    relay.reset()
    await broken
    expect((await (await login()).query('select 1')).rowCount).toBe(1)
    await server.admin(`select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep%'
      and pid <> pg_backend_pid()`)
  })

  it('drops a reply after the server did the work', async () => {
    const client = await login()
    relay.dropReplies()
    await expect(client.query('insert into work values (1)')).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect(await server.admin('select * from work')).toEqual([{ id: 1 }])
    expect((await (await login()).query('select 1')).rowCount).toBe(1)
  })

  it('resets the client if nobody listens at the target', async () => {
    await server.stop()
    await expect(login()).rejects.toMatchObject({ code: 'ECONNRESET' })
    await server.start()
    expect((await (await login()).query('select 1')).rowCount).toBe(1)
  })

  it('adds its delay to each direction', async () => {
    const client = await login()
    relay.delayMs = 200
    const begin = performance.now()
    await client.query('select 1')
    const tookMs = performance.now() - begin
    expect(tookMs).toBeGreaterThanOrEqual(400)
    relay.delayMs = 0
    await client.query('select 1')
    expect(performance.now() - begin - tookMs).toBeLessThan(200)
  })
})

describe('a relay in front of an echo', () => {
  it('keeps the order of bytes while its delay changes, and sends the end last', async () => {
    const echo = createServer((socket) => void socket.pipe(socket)).listen(0, '127.0.0.1')
    await once(echo, 'listening')
    const relay = await startRelay({ host: '127.0.0.1', port: portOf(echo.address()) })
    const socket = connect(relay.port, relay.host)
    const received = text(socket)
    let sent = ''
    for (let line = 0; line < 2000; line++) {
      relay.delayMs = (line * 7) % 5
      socket.write(`${line}\n`)
      sent += `${line}\n`
      if (line % 50 === 0) await new Promise(setImmediate)
    }
    socket.end()
    expect(await received).toBe(sent)
    await vi.waitFor(() => expect(relay.connections).toBe(0), POLL)
    await relay.close()
    echo.close()
  })

  it('carries more than the sockets buffer, at the pace of the reader', async () => {
    const megabytes = 32
    const source = createServer((socket) => void socket.end(Buffer.alloc(megabytes << 20)))
    await once(source.listen(0, '127.0.0.1'), 'listening')
    const relay = await startRelay({ host: '127.0.0.1', port: portOf(source.address()) })
    relay.delayMs = 1
    const socket = connect(relay.port, relay.host)
    let bytes = 0
    socket.on('data', (chunk) => (bytes += chunk.length))
    await once(socket, 'end')
    expect(bytes).toBe(megabytes << 20)
    await vi.waitFor(() => expect(relay.connections).toBe(0), POLL)
    await relay.close()
    source.close()
  })
})

function portOf(address: ReturnType<ReturnType<typeof createServer>['address']>): number {
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

async function text(socket: Socket): Promise<string> {
  let all = ''
  for await (const chunk of socket.setEncoding('utf8')) all += String(chunk)
  return all
}
