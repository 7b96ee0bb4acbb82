// One event on its way: when it was dispatched, its time limit, and the promise its caller holds.

import { randomBytes, randomUUID } from 'node:crypto'

import type { Invocation, InvocationError } from './api.ts'
import { deferred } from './deferred.ts'
import type { SandboxError } from './errors.ts'
import type { Answer } from './runtime-api.ts'

export class PendingInvocation {
  readonly requestId: string = randomUUID()
  readonly traceId: string = newTraceId()
  readonly body: string
  readonly environmentId: string
  readonly coldStart: boolean
  readonly result: Promise<Invocation>
  readonly #resolve: (invocation: Invocation) => void
  readonly reject: (reason: Error) => void
  readonly #arrivedAt = performance.now()
  #dispatchedAt: number | undefined
  #timer: NodeJS.Timeout | undefined
  #isAnswered = false

  constructor(event: unknown, environmentId: string, coldStart: boolean) {
    this.body = JSON.stringify(event) ?? '{}'
    this.environmentId = environmentId
    this.coldStart = coldStart
    const { promise, resolve, reject } = deferred<Invocation>()
    this.result = promise
    this.#resolve = resolve
    this.reject = reject
    // Its caller may have given up waiting.
    promise.catch(() => undefined)
  }

  get isAnswered(): boolean {
    return this.#isAnswered
  }

  dispatched(timeoutMs: number, onTimeout: () => void): void {
    this.#dispatchedAt = performance.now()
    this.#timer = setTimeout(onTimeout, timeoutMs)
  }

  answer(answer: Answer): void {
    this.#settle(answer, false)
  }

  /** No effect once the response is posted. */
  fail(error: SandboxError): void {
    const { errorType, errorMessage, ...rest } = error.toInvocationError()
    const withId = errorMessage.startsWith('Error: ')
      ? `RequestId: ${this.requestId} ${errorMessage}`
      : errorMessage
    this.#settle({ error: { errorType, errorMessage: withId, ...rest } }, error.resetReason === 'timeout')
  }

  /** Nothing more is expected of it, its time limit included. */
  over(): void {
    clearTimeout(this.#timer)
  }

  #settle(outcome: { payload: unknown } | { error: InvocationError }, timedOut: boolean): void {
    if (this.#isAnswered) return
    this.#isAnswered = true
    const now = performance.now()
    const dispatchedAt = this.#dispatchedAt ?? now
    this.#resolve({
      requestId: this.requestId,
      environmentId: this.environmentId,
      coldStart: this.coldStart,
      latencyMs: now - dispatchedAt,
      queuedMs: dispatchedAt - this.#arrivedAt,
      timedOut,
      ...outcome,
    })
  }
}

function newTraceId(): string {
  const seconds = Math.floor(Date.now() / 1_000).toString(16)
  const random = randomBytes(20).toString('hex')
  return `Root=1-${seconds}-${random.slice(0, 24)};Parent=${random.slice(24)};Sampled=0`
}
