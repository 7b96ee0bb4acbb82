/** The first words of both protocols, up to the point where TLS begins: no login, nothing that counts as one. */

import type { Socket } from 'node:net'

import type { Protocol } from '../../target/target.ts'

/** What the other end said. */
export type Greeting =
  | { readonly kind: 'speaks'; readonly offersTls: boolean; readonly version: string | undefined }
  /** MySQL refuses before it greets: too many sessions, or a host that it lets nobody in from. */
  | { readonly kind: 'refuses'; readonly errno: number }
  | { readonly kind: 'other'; readonly looksLike: string | undefined }
  | { readonly kind: 'closed' }

/** PostgreSQL: length 8, and the number that asks for TLS. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])

const CLIENT_SSL = 0x0800
const CLIENT_PROTOCOL_41 = 0x0200
const CLIENT_SECURE_CONNECTION = 0x8000
const PROTOCOL_10 = 10
const ERR_PACKET = 0xff

export async function greet(protocol: Protocol, socket: Socket, signal: AbortSignal): Promise<Greeting> {
  return protocol === 'postgresql' ? greetPostgres(socket, signal) : greetMysql(socket, signal)
}

async function greetPostgres(socket: Socket, signal: AbortSignal): Promise<Greeting> {
  socket.write(SSL_REQUEST)
  const answer = await firstBytes(socket, 1, signal)
  if (answer === undefined) return { kind: 'closed' }
  const word = String.fromCodePoint(answer[0] ?? 0)
  if (answer.length === 1 && (word === 'S' || word === 'N')) {
    return { kind: 'speaks', offersTls: word === 'S', version: undefined }
  }
  return {
    kind: 'other',
    looksLike: answer[4] === PROTOCOL_10 || answer[4] === ERR_PACKET ? 'MySQL or MariaDB' : undefined,
  }
}

async function greetMysql(socket: Socket, signal: AbortSignal): Promise<Greeting> {
  const packet = await firstBytes(socket, 5, signal)
  if (packet === undefined) return { kind: 'closed' }
  const kind = packet[4]
  if (kind === ERR_PACKET && packet.length >= 7) return { kind: 'refuses', errno: packet.readUInt16LE(5) }
  if (kind !== PROTOCOL_10) return { kind: 'other', looksLike: undefined }
  const end = packet.indexOf(0, 5)
  // After the version: number of the session (4), part of a nonce (8), a zero, and what the server can do.
  if (end < 0 || packet.length < end + 16) return { kind: 'other', looksLike: undefined }
  const capabilities = packet.readUInt16LE(end + 14)
  return {
    kind: 'speaks',
    offersTls: (capabilities & CLIENT_SSL) !== 0,
    version: packet.toString('latin1', 5, end),
  }
}

/** What MySQL wants to hear before TLS begins; PostgreSQL has heard it already. */
export function askForTls(protocol: Protocol, socket: Socket): void {
  if (protocol === 'postgresql') return
  const packet = Buffer.alloc(4 + 32)
  packet.writeUIntLE(32, 0, 3)
  packet[3] = 1
  packet.writeUInt32LE(CLIENT_SSL | CLIENT_PROTOCOL_41 | CLIENT_SECURE_CONNECTION, 4)
  packet.writeUInt32LE(1 << 24, 8)
  // utf8mb4
  packet[12] = 45
  socket.write(packet)
}

/** At least `count` of them, as they first come; undefined where the other end closes before. */
function firstBytes(socket: Socket, count: number, signal: AbortSignal): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    let bytes = Buffer.alloc(0)
    const finish = (): void => {
      socket.off('data', onData).off('close', onClose)
      signal.removeEventListener('abort', onAbort)
      socket.pause()
    }
    const onData = (chunk: Buffer): void => {
      bytes = Buffer.concat([bytes, chunk])
      if (bytes.length < count) return
      finish()
      resolve(bytes)
    }
    const onClose = (): void => {
      finish()
      resolve(undefined)
    }
    const onAbort = (): void => {
      finish()
      reject(signal.reason as Error)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    socket.on('data', onData).on('close', onClose)
    socket.resume()
  })
}
