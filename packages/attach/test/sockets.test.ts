import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, Socket } from 'node:net'

import { processWide } from '@leasehold/core'
import { ManualClock } from '@leasehold/core/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { SocketGuard } from '../src/sockets.ts'

const { connect } = Socket.prototype
const sockets: Socket[] = []
let server: Server
let port: number
let clock: ManualClock
let guard: SocketGuard

beforeEach(async () => {
  // Answers what ends in a semicolon.
  server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.on('data', (data) => String(data).endsWith(';') && socket.write('answer'))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  ;({ port } = server.address() as AddressInfo)
  clock = new ManualClock()
  guard = new SocketGuard(clock, [port], 60_000)
  guard.watch()
})
afterEach(async () => {
  Socket.prototype.connect = connect
  processWide().sessions.delete(guard)
  for (const socket of sockets.splice(0)) socket.destroy()
  server.close()
  await once(server, 'close')
})

async function opened(): Promise<Socket> {
  const socket = new Socket()
  sockets.push(socket)
  socket.on('error', () => undefined)
  await once(socket.connect(port, '127.0.0.1'), 'connect')
  return socket
}

function freeze(ms: number): void {
  guard.over()
  clock.freeze(ms)
  guard.begun()
}

describe('a database socket that nothing governs', () => {
  it('is dropped where it has been silent for long since its last answer', async () => {
    const socket = await opened()
    socket.write('select 1;')
    await once(socket, 'data')
    freeze(59_000)
    expect(socket.destroyed).toBe(false)
    freeze(60_000)
    expect(socket.destroyed).toBe(true)
    expect(guard.counts).toEqual({ open: 0, dropped: 1 })
  })

  it('is left alone where a statement on it has no answer yet', async () => {
    const socket = await opened()
    socket.write('select 1;')
    await once(socket, 'data')
    await new Promise<void>((resolve) => {
      socket.write('select pg_sleep(100)', () => resolve())
    })
    freeze(120_000)
    expect(socket.destroyed).toBe(false)
    socket.write(';')
    await once(socket, 'data')
    guard.over()
    freeze(120_000)
    expect(socket.destroyed).toBe(true)
  })
})
