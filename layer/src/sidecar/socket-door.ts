/** Metrics and places over a local socket that only this environment's user can open. */

import { unlinkSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'

import { type Answered, type LimitedLog, Lines, type Said } from './core.ts'

/** A process that does not read what it is told is let go. */
const MOST_UNREAD_BYTES = 256 * 1024

/** One process, as long as it is connected. */
export interface Visitor {
  said(message: Said): void
  /** It ended, however it did. */
  left(): void
}

export class SocketDoor {
  readonly #path: string
  readonly #log: LimitedLog
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  /** @param enter makes a visitor; `answer` tells it something */
  constructor(path: string, log: LimitedLog, enter: (answer: (answer: Answered) => void) => Visitor) {
    this.#path = path
    this.#log = log
    this.#server = createServer((socket) => this.#enter(socket, enter))
  }

  /** Resolves once it listens, or has said that it can't. Never rejects. */
  listen(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.on('error', (error: NodeJS.ErrnoException) => {
        this.#log.once('socket', `no metrics and places through the sidecar (${error.code ?? 'error'})`)
        resolve()
      })
      // `/tmp` outlives a reset, and so does what a sidecar before has left there.
      discard(this.#path)
      const others = process.umask(0o177)
      this.#server.listen({ path: this.#path }, resolve)
      process.umask(others)
    })
  }

  /** Takes no more visitors, and what those that are here have said before. */
  async end(): Promise<void> {
    this.#server.close()
    // What is in the sockets by now is read in the next turns.
    for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  }

  /** Lets everybody go. */
  cut(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #enter(socket: Socket, enter: (answer: (answer: Answered) => void) => Visitor): void {
    this.#sockets.add(socket)
    const visitor = enter((answer) => {
      if (socket.writableLength > MOST_UNREAD_BYTES) socket.destroy()
      else if (socket.writable) socket.write(`${JSON.stringify(answer)}\n`)
    })
    const lines = new Lines((message) => visitor.said(message as Said))
    socket
      .setEncoding('utf8')
      .on('data', (chunk) => {
        if (!lines.push(String(chunk))) socket.destroy()
      })
      .on('error', () => socket.destroy())
      .on('close', () => {
        this.#sockets.delete(socket)
        visitor.left()
      })
  }
}

function discard(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // There is none.
  }
}
