/** A process's connection to the sidecar: it throws nothing, waits for nothing and keeps no process alive. */

import { connect, type Socket } from 'node:net'

import { Lines } from './lines.ts'
import type { Answered, Said } from './protocol.ts'

/** What is not written by then is not taken any more: the other side does not read. */
const MOST_UNWRITTEN_BYTES = 512 * 1024

export interface ChannelListener {
  answered(answer: Answered): void
  /** It is over, or never was; said once. */
  lost(): void
}

export class Channel {
  readonly #socket: Socket
  #isLost = false

  constructor(path: string, listener: ChannelListener) {
    const lines = new Lines((message) => listener.answered(message as Answered))
    const lost = (): void => {
      if (this.#isLost) return
      this.#isLost = true
      listener.lost()
    }
    this.#socket = connect({ path })
      .setEncoding('utf8')
      .on('data', (chunk) => {
        if (!lines.push(String(chunk))) this.close()
      })
      .on('error', lost)
      .on('close', lost)
      .unref()
  }

  /** Whether it was written or will be, as far as this side knows. */
  say(message: Said): boolean {
    if (this.#isLost || this.#socket.writableLength > MOST_UNWRITTEN_BYTES) return false
    this.#socket.write(`${JSON.stringify(message)}\n`)
    return true
  }

  close(): void {
    this.#socket.destroy()
  }
}
