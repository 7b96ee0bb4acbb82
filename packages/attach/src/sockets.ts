/** Level 0: database sockets that nothing governs. The dead are dropped at thaw, and all are closed at the end. */

import { Socket } from 'node:net'
import type tls from 'node:tls'

import { type Clock, isRdsHost, Moment, type OpenSessions, processWide } from '@leasehold/core'

/** What is known of one socket. */
interface Watched {
  /** Read and written when it was last looked at. */
  bytes: number
  readonly silentSince: Moment
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
    const meet = (socket: Socket, given: readonly unknown[]): void => this.#meet(socket, given)
    const connect: unknown = Reflect.get(Socket.prototype, 'connect')
    Socket.prototype.connect = function (this: Socket, ...given: unknown[]): Socket {
      meet(this, given)
      return Reflect.apply(connect as () => Socket, this, given as never)
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
      if (socket !== undefined && this.#sockets.has(socket)) this.#secured.set(socket, secured)
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
      if (
        bytesOf(socket) === watched.bytes &&
        watched.silentSince.elapsedMs(this.#clock) >= this.#dropAfterMs
      ) {
        this.#drop(socket)
      }
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

  #meet(socket: Socket, given: readonly unknown[]): void {
    const { host, port } = targetIn(given)
    if (this.#ports.includes(port) || isRdsHost(host)) {
      this.#watchTls()
      this.#sockets.set(socket, { bytes: 0, silentSince: new Moment(this.#clock) })
    }
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
