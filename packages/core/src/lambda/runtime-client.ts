/**
 * Lambda's own runtime client for Node.js, seen from inside: its one function that asks for the next event says
 * when an invocation begins, how much time it has, and when it is over, response and all. Nothing else does.
 */

import { createRequire } from 'node:module'

/** The native part of the client. Kept in `require.cache` under the name of its file. */
interface NativeClient {
  next: (...given: unknown[]) => unknown
  /** Posts a response. */
  done?: (requestId: string, ...given: unknown[]) => unknown
  /** Posts an error. */
  error?: (requestId: string, ...given: unknown[]) => unknown
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
  /** An invocation's response is posted, and it is not streamed. Where several run at once, which `over` says nothing of. */
  answered?(requestId: string): void
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
    return file === undefined ? undefined : RuntimeClient.#of(cache[file]?.exports)
  }

  /** Calls back when the client has been loaded, which it has not where a preload asks; under any other never. */
  static whenLoaded(found: (client: RuntimeClient) => void): void {
    const dlopen: unknown = Reflect.get(process, 'dlopen')
    let isFound = false
    // Native parts have no other way in, be they asked for by `require` or by `createRequire`.
    process.dlopen = (...given): void => {
      Reflect.apply(dlopen as () => void, process, given as never)
      const [module, file] = given
      if (isFound || !FILE.test(file)) return
      quietly(() => {
        const client = RuntimeClient.#of((module as { exports?: unknown }).exports)
        if (client === undefined) return
        isFound = true
        found(client)
      })
    }
  }

  static #of(exported: unknown): RuntimeClient | undefined {
    const native = exported as Partial<NativeClient> | undefined
    if (typeof native?.next !== 'function') return undefined
    const isOpen = Object.getOwnPropertyDescriptor(native, 'next')?.writable === true
    return isOpen ? new RuntimeClient(native as NativeClient) : undefined
  }

  /**
   * From now on `listener` hears of every invocation. Whoever asks gets the client's own answer: the same promise,
   * but for the first question, and the same errors.
   *
   * @param ready the runtime's first question waits for it; must settle
   */
  listen(listener: RuntimeListener, ready: Promise<unknown>): void {
    const { next } = this.#native
    const isFirstQuestion = (): boolean => this.#asks(listener)
    const heard = (answer: unknown): unknown => this.#heard(answer, listener)
    this.#native.next = function (this: unknown, ...given: unknown[]): unknown {
      const ask = (): unknown => heard(Reflect.apply(next, this, given))
      return isFirstQuestion() ? ready.then(ask, ask) : ask()
    }
    if (listener.answered === undefined) return
    for (const name of ['done', 'error'] as const) this.#hearAnswers(name, listener)
  }

  #hearAnswers(name: 'done' | 'error', listener: RuntimeListener): void {
    const post = this.#native[name]
    if (typeof post !== 'function') return
    this.#native[name] = function (this: unknown, requestId, ...given): unknown {
      quietly(() => listener.answered?.(requestId))
      return Reflect.apply(post, this, [requestId, ...given])
    }
  }

  /** Whether the invocation with this id is over by now, or is not this client's: its end would not be heard. */
  isOver(requestId: string): boolean {
    return !this.#hasAsked || (!this.#isRunning && this.#requestId === requestId)
  }

  /** Whether it is the runtime's first question. */
  #asks(listener: RuntimeListener): boolean {
    const isFirst = !this.#hasAsked
    this.#hasAsked = true
    if (!this.#isRunning) return isFirst
    this.#isRunning = false
    quietly(() => listener.over(this.#requestId ?? ''))
    return isFirst
  }

  /** Listens before the runtime does, so it hears first. That there is no event is the runtime's to hear alone. */
  #heard(answer: unknown, listener: RuntimeListener): unknown {
    const received = (event: unknown): void => {
      quietly(() => this.#received(event as NextEvent, listener))
    }
    const { then } = Object(answer) as Partial<Promise<unknown>>
    if (typeof then === 'function') void Reflect.apply(then, answer, [received, ignore])
    else received(answer)
    return answer
  }

  #received({ headers }: NextEvent, listener: RuntimeListener): void {
    this.#requestId = String(headers?.['lambda-runtime-aws-request-id'])
    this.#isRunning = true
    listener.begun(this.#requestId, Number(headers?.['lambda-runtime-deadline-ms']))
  }
}

/** What goes wrong here must not reach the runtime: it would end the process. */
function quietly(tell: () => void): void {
  try {
    tell()
  } catch {
    // The invocation goes on without us.
  }
}

function ignore(): void {}
