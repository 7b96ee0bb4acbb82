// A server nobody should trust: without TLS, it asks at once for the password as it is, and keeps all it is sent.
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'

export interface CuriousServer extends AsyncDisposable {
  readonly port: number
  /** How many clients have connected. */
  readonly connectionCount: number
  /** Everything that all clients have sent. */
  received(): Buffer
}

export async function startCuriousServer(engine: 'postgresql' | 'mysql'): Promise<CuriousServer> {
  const received: Buffer[] = []
  const sockets = new Set<Socket>()
  const converse = engine === 'postgresql' ? asPostgres : asMysql
  const listener = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('data', (bytes) => received.push(bytes))
    converse(socket)
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const address = listener.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return {
    port: address.port,
    get connectionCount() {
      return sockets.size
    },
    received: () => Buffer.concat(received),
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      listener.close()
      await once(listener, 'close')
    },
  }
}

const SSL_REQUEST = 80_877_103

/** Source: PostgreSQL, Message Formats: `SSLRequest`, `AuthenticationCleartextPassword`. */
function asPostgres(socket: Socket): void {
  socket.on('data', (bytes) => {
    if (bytes.length >= 8 && bytes.readUInt32BE(4) === SSL_REQUEST) socket.write('N')
    else if (bytes[0] === 0) socket.write(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]))
    else socket.destroy()
  })
}

/** Long passwords, protocol 4.1, secure connection, named plugins; no TLS. */
const CAPABILITIES = Buffer.from([0x01, 0x82, 0x08, 0x00])

/** Source: MySQL, Protocol::HandshakeV10 and Protocol::AuthSwitchRequest. */
function asMysql(socket: Socket): void {
  const packet = (number: number, ...parts: readonly Buffer[]): void => {
    const body = Buffer.concat(parts)
    const header = Buffer.alloc(4)
    header.writeUIntLE(body.length, 0, 3)
    header[3] = number
    socket.write(Buffer.concat([header, body]))
  }
  const text = (value: string): Buffer => Buffer.from(`${value}\0`)
  packet(
    0,
    Buffer.from([10]),
    text('8.4.0'),
    Buffer.from([1, 0, 0, 0]),
    text('scramble'),
    CAPABILITIES.subarray(0, 2),
    Buffer.from([45, 2, 0]),
    CAPABILITIES.subarray(2),
    Buffer.from([21]),
    Buffer.alloc(10),
    text('and the rest'),
    text('mysql_native_password'),
  )
  socket.once('data', (bytes) => {
    packet((bytes[3] ?? 0) + 1, Buffer.from([0xfe]), text('mysql_clear_password'))
    socket.once('data', () => socket.destroy())
  })
}
