// One connection through the relay: two sockets, and what happens to the bytes and the ends between them.
import type { Socket } from 'node:net'

import { DelayLine } from './delay-line.ts'

/**
 * - `normal`: bytes, FINs and resets go through.
 * - `last-reply`: the next bytes from the server are lost, and both sides get a reset instead.
 * - `lost`: nothing goes through any more, for ever; both sockets stay open.
 */
type FlowState = 'normal' | 'last-reply' | 'lost'

export class RelayFlow {
  readonly #client: Socket
  readonly #server: Socket | undefined
  readonly #lines: readonly DelayLine[]
  #state: FlowState

  /** Without `server`, the client talks to nobody: connected, and no answer ever. */
  constructor(client: Socket, server: Socket | undefined, delayMs: () => number) {
    this.#client = client
    this.#server = server
    this.#state = server ? 'normal' : 'lost'
    const sockets = server ? [client, server] : [client]
    this.#lines = sockets.map((from) => this.#pump(from, from === client ? server : client, delayMs))
  }

  /** Some end of it is still open. */
  get isOpen(): boolean {
    return !this.#client.destroyed || this.#server?.destroyed === false
  }

  lose(): void {
    this.#state = 'lost'
    for (const line of this.#lines) line.clear()
    // A sender that had to wait for the other side now speaks into the void.
    this.#client.resume()
    this.#server?.resume()
  }

  dropNextReply(): void {
    if (this.#state === 'normal') this.#state = 'last-reply'
  }

  reset(): void {
    this.#state = 'lost'
    for (const line of this.#lines) line.clear()
    this.#client.resetAndDestroy()
    this.#server?.resetAndDestroy()
  }

  #pump(from: Socket, to: Socket | undefined, delayMs: () => number): DelayLine {
    const line = new DelayLine()
    from.setNoDelay(true)
    from.on('data', (chunk) => {
      if (this.#state === 'lost' || !to) return
      if (this.#state === 'last-reply' && from === this.#server) return this.reset()
      line.push(delayMs(), () => {
        if (to.destroyed || to.write(chunk)) return
        from.pause()
        to.once('drain', () => from.resume())
      })
    })
    from.on('end', () => {
      if (this.#state !== 'lost') line.push(delayMs(), () => void to?.end())
    })
    // A reset, or (towards the server) nobody there.
    from.on('error', () => {
      if (this.#state !== 'lost') line.push(delayMs(), () => this.reset())
    })
    return line
  }
}
