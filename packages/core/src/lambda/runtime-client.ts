/**
 * Lambda's own runtime client for Node.js, seen from inside: its one function that asks for the next event says
 * when an invocation begins, how much time it has, and when it is over, response and all. Nothing else does.
 */

import { createRequire } from 'node:module'

/** The native part of the client. Kept in `require.cache` under the name of its file. */
interface NativeClient {
  next(): Promise<NextEvent>
}

interface NextEvent {
  readonly headers?: Readonly<Record<string, string | number | undefined>>
}

const FILE = /[\\/]rapid-client\.node$/

export interface RuntimeListener {
  /** An event has come, and its handler is about to be called. */
  begun(requestId: string, deadlineEpochMs: number): void
  /** The response is posted, and the runtime asks for the next event. Not before the first. */
  over(requestId: string): void
}

export class RuntimeClient {
  readonly #native: NativeClient
  /** The invocation that is running, or was the last. */
  #requestId: string | undefined
  #isRunning = false
  #hasAsked = false

  private constructor(native: NativeClient) {
    this.#native = native
  }

  /** The client that this process runs under; undefined under any other, and before it is loaded. */
  static find(): RuntimeClient | undefined {
    const { cache } = createRequire('/leasehold.js')
    const file = Object.keys(cache).find((name) => FILE.test(name))
    const native =
      file === undefined ? undefined : (cache[file]?.exports as Partial<NativeClient> | undefined)
    return typeof native?.next === 'function' ? new RuntimeClient(native as NativeClient) : undefined
  }

  /**
   * From now on `listener` hears of every invocation.
   *
   * @param ready the runtime's first question waits for it; must resolve
   */
  listen(listener: RuntimeListener, ready: Promise<unknown>): void {
    const native = this.#native
    const ask = native.next.bind(native)
    const received = (event: NextEvent): NextEvent => {
      this.#received(event, listener)
      return event
    }
    native.next = () => {
      if (this.#isRunning) {
        this.#isRunning = false
        listener.over(this.#requestId ?? '')
      }
      if (this.#hasAsked) return ask().then(received)
      this.#hasAsked = true
      return ready.then(ask).then(received)
    }
  }

  /** Whether the invocation with this id is over by now, or is not this client's: its end would not be heard. */
  isOver(requestId: string): boolean {
    return !this.#hasAsked || (!this.#isRunning && this.#requestId === requestId)
  }

  #received({ headers = {} }: NextEvent, listener: RuntimeListener): void {
    this.#requestId = String(headers['lambda-runtime-aws-request-id'])
    this.#isRunning = true
    listener.begun(this.#requestId, Number(headers['lambda-runtime-deadline-ms']))
  }
}
