/** Level 0: database sockets that nothing governs. The dead are dropped at thaw, and all are closed at the end. */

import { Socket } from 'node:net'
import type tls from 'node:tls'

import { type Clock, isRdsHost, Moment, type OpenSessions, processWide } from '@leasehold/core'

/** What is known of one socket. */
interface Watched {
  /** Read and written when it was last looked at. */
  bytes: number
  readonly silentSince: Moment
  /** Read before the driver last wrote: where no more has been read since, a statement has no answer yet. */
  readBefore: number | undefined
}

/** Sockets of drivers that are governed: they are dropped by their leases, and closed by their governors. */
const spared = new WeakSet<object>()

/** Leaves a socket to whoever governs it. */
export function spare(socket: object): void {
  spared.add(socket)
}

export class SocketGuard implements OpenSessions {
  readonly #clock: Clock
  readonly #ports: readonly number[]
  readonly #dropAfterMs: number
  readonly #sockets = new Map<Socket, Watched>()
  /** What the driver listens to, where TLS lies over the socket. */
  readonly #secured = new WeakMap<Socket, Socket>()
  #watchesTls = false
  #droppedCount = 0

  constructor(clock: Clock, ports: readonly number[], dropAfterMs: number) {
    this.#clock = clock
    this.#ports = ports
    this.#dropAfterMs = dropAfterMs
  }

  /** From now on every socket of this process to a database is known. */
  watch(): void {
    const meet = (socket: Socket, given: readonly unknown[]) => this.#meet(socket, given)
    const connect: unknown = Reflect.get(Socket.prototype, 'connect')
    Socket.prototype.connect = function (this: Socket, ...given: unknown[]): Socket {
      const watched = meet(this, given)
      const socket = Reflect.apply(connect as () => Socket, this, given as never)
      // Connecting, a socket takes back its own way to write.
      if (watched !== undefined) hearWrites(this, this, watched)
      return socket
    }
    processWide().sessions.add(this)
  }

  /** Loaded with the first socket to a database, and not before: it takes milliseconds. */
  #watchTls(): void {
    if (this.#watchesTls) return
    this.#watchesTls = true
    const module = process.getBuiltinModule('node:tls')
    const { connect } = module
    module.connect = (...given: unknown[]): tls.TLSSocket => {
      const secured = Reflect.apply(connect as () => tls.TLSSocket, module, given as never)
      const { socket } = Object(given[0]) as { socket?: Socket }
      const watched = socket === undefined ? undefined : this.#sockets.get(socket)
      if (socket !== undefined && watched !== undefined) {
        this.#secured.set(socket, secured)
        hearWrites(secured, socket, watched)
      }
      return secured
    }
  }

  get counts(): { readonly open: number; readonly dropped: number } {
    return { open: this.#plain().length, dropped: this.#droppedCount }
  }

  /** The response is out, and the environment may be frozen. */
  over(): void {
    for (const [socket, watched] of this.#sockets) {
      if (socket.destroyed) this.#sockets.delete(socket)
      const bytes = bytesOf(socket)
      if (bytes === watched.bytes) continue
      watched.bytes = bytes
      watched.silentSince.set(this.#clock)
    }
  }

  /** An invocation begins, and its handler has not been called: what has been silent for long may be dead. */
  begun(): void {
    for (const socket of this.#plain()) {
      const watched = this.#sockets.get(socket)
      if (watched === undefined || socket.connecting) continue
      const isSilent = bytesOf(socket) === watched.bytes
      // What has no answer yet may be running on the server, or lie answered in this socket.
      if (!isSilent || socket.bytesRead === watched.readBefore) continue
      if (watched.silentSince.elapsedMs(this.#clock) >= this.#dropAfterMs) this.#drop(socket)
    }
  }

  // Of `OpenSessions`: a plain driver's use of its sockets is not known, so where that matters they are left alone.
  async leave(sparesUsed = false): Promise<void> {
    if (sparesUsed) return
    const plain = this.#plain().map((socket) => this.#secured.get(socket) ?? socket)
    await Promise.allSettled(plain.map((socket) => new Promise<void>((resolve) => socket.end(resolve))))
  }

  cut(sparesUsed = false): void {
    if (!sparesUsed) for (const socket of this.#plain()) socket.destroy()
  }

  #meet(socket: Socket, given: readonly unknown[]): Watched | undefined {
    const { host, port } = targetIn(given)
    if (spared.has(socket) || !(this.#ports.includes(port) || isRdsHost(host))) return undefined
    this.#watchTls()
    // Where no invocation is ever heard of, nothing else forgets them.
    for (const known of this.#sockets.keys()) if (known.destroyed) this.#sockets.delete(known)
    const watched: Watched = { bytes: 0, silentSince: new Moment(this.#clock), readBefore: undefined }
    this.#sockets.set(socket, watched)
    return watched
  }

  #plain(): Socket[] {
    return [...this.#sockets.keys()].filter((socket) => !socket.destroyed && !spared.has(socket))
  }

  /**
   * The driver hears of it at once, not in a later turn, when the handler may have taken the connection. An error that
   * nobody listens for is ours, and not the application's.
   */
  #drop(socket: Socket): void {
    this.#droppedCount += 1
    this.#sockets.delete(socket)
    const heard = this.#secured.get(socket) ?? socket
    const silent = new Error('read ECONNRESET (leasehold: silent for too long, dropped before use)')
    const error = Object.assign(silent, { code: 'ECONNRESET', syscall: 'read' })
    if (heard.listenerCount('error') > 0) quietly(() => heard.emit('error', error))
    heard.on('error', ignore)
    heard.destroy()
    socket.destroy()
    quietly(() => heard.emit('close', true))
  }
}

/** @param written what the driver writes to: `socket` itself, or the TLS over it */
function hearWrites(written: Socket, socket: Socket, watched: Watched): void {
  const write: unknown = Reflect.get(written, 'write')
  const value = function (this: Socket, ...given: unknown[]): boolean {
    watched.readBefore = socket.bytesRead
    return Reflect.apply(write as () => boolean, this, given as never)
  }
  Object.defineProperty(written, 'write', { value, configurable: true, enumerable: false, writable: true })
}

function bytesOf(socket: Socket): number {
  return socket.bytesRead + socket.bytesWritten
}

/** `connect(port, host)`, `connect(options)`, or what `net.connect` makes of either. */
function targetIn(given: readonly unknown[]): { host: string; port: number } {
  const first = Array.isArray(given[0]) ? (given[0][0] as unknown) : given[0]
  if (typeof first !== 'object' || first === null) {
    return { host: typeof given[1] === 'string' ? given[1] : '', port: Number(first) }
  }
  const { host, port } = first as { host?: unknown; port?: unknown }
  return { host: typeof host === 'string' ? host : '', port: Number(port) }
}

function quietly(tell: () => void): void {
  try {
    tell()
  } catch {
    // Nobody listened for it.
  }
}

function ignore(): void {}
