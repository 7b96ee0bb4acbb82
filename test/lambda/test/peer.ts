// A TCP server in the test's own process: what a database sees of an environment.

import { readFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'

export interface Peer {
  readonly port: number
  readonly sockets: readonly Socket[]
  /** How many of them have seen a FIN or a reset. */
  readonly closedCount: () => number
  readonly close: () => void
}

export async function listen(): Promise<Peer> {
  const sockets: Socket[] = []
  let closed = 0
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => undefined)
    socket.resume()
    socket.once('close', () => {
      closed += 1
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const close = (): void => {
    server.close()
    for (const socket of sockets) socket.destroy()
  }
  return { port, sockets, closedCount: () => closed, close }
}

/** How many connections to `port` the kernel calls established, seen from the server's side. */
export function establishedCount(port: number): number {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const rows = readFileSync('/proc/net/tcp', 'utf8').split('\n').slice(1)
  return rows.filter((row) => {
    const [, from = '', , state] = row.trim().split(/\s+/)
    return from.endsWith(local) && state === '01'
  }).length
}
