/** Invocations that run side by side in one thread: whose a request is says the context that it is made in. */

import { AsyncLocalStorage } from 'node:async_hooks'

import type { Clock } from './clock.ts'
import { Deadline } from './deadline.ts'
import {
  type Invocation,
  type InvocationContext,
  type InvocationsOfPool,
  NOBODYS,
  RESERVE_MS,
} from './invocation.ts'
import { type ProcessWide, processWide } from './process-wide.ts'

/** What AWS's runtime client keeps of the invocation in whose context code runs: one object each. */
interface InvokeStore {
  getContext?(): object | undefined
  getRequestId?(): string
}

export class SideBySide implements InvocationsOfPool {
  readonly areConcurrent = true
  readonly #clock: Clock
  readonly #announced: Pick<ProcessWide, 'running'>
  /** Of handlers that called `enter`. */
  readonly #entered = new AsyncLocalStorage<Invocation>()
  readonly #seen = new WeakMap<object, Invocation>()
  #count = 0
  #longestMs: number | undefined
  /** The first end of those that have taken a connection since the last look. */
  #nextEnd: Deadline | undefined

  /** @param announced where Lambda's runtime client says of each invocation when it ends */
  constructor(clock: Clock, announced: Pick<ProcessWide, 'running'> = processWide()) {
    this.#clock = clock
    this.#announced = announced
  }

  get longestMs(): number | undefined {
    return this.#longestMs
  }

  /** The one in whose context this is called; nobody's, where that is not known. */
  get current(): Invocation {
    return this.#entered.getStore() ?? this.#marked() ?? NOBODYS
  }

  /** From now on, what the caller and all that it calls asks for is this invocation's. */
  enter(context: InvocationContext): boolean {
    const { awsRequestId } = context
    const { current } = this
    const isKnown = current !== NOBODYS && current.requestId === awsRequestId
    const invocation = isKnown ? current : this.#begin(awsRequestId)
    const leftMs = context.getRemainingTimeInMillis()
    if (Number.isFinite(leftMs)) this.#ends(invocation, leftMs)
    this.#entered.enterWith(invocation)
    return this.look()
  }

  /** It has a connection now, to be looked at when its time is up. */
  took({ end }: Invocation): void {
    if (end === undefined) return
    if (this.#nextEnd === undefined || end.leftMs() < this.#nextEnd.leftMs()) this.#nextEnd = end
  }

  /** Whether one of those that took a connection has run out of time since the last look. Hot. */
  look(): boolean {
    if (this.#nextEnd === undefined || this.#nextEnd.leftMs() > 0) return false
    this.#nextEnd = undefined
    return true
  }

  isOver({ end }: Invocation): boolean {
    return end?.leftMs() === 0
  }

  spendableMs(): number | undefined {
    const { end } = this.current
    return end === undefined ? undefined : Math.max(0, end.leftMs() - RESERVE_MS)
  }

  /** The same where the handler said so itself. */
  enteredMs(): number | undefined {
    return this.#entered.getStore() === undefined ? undefined : this.spendableMs()
  }

  /** By the runtime client's own mark, where no handler speaks. */
  #marked(): Invocation | undefined {
    const store = invokeStore()
    const context = store?.getContext?.()
    if (context === undefined) return undefined
    const seen = this.#seen.get(context)
    if (seen !== undefined) return seen
    const requestId = store?.getRequestId?.() ?? ''
    const invocation = this.#begin(requestId)
    this.#seen.set(context, invocation)
    const endEpochMs = this.#announced.running?.get(requestId)
    if (endEpochMs !== undefined) this.#ends(invocation, endEpochMs - this.#clock.epochMs())
    return invocation
  }

  #begin(requestId: string): Invocation {
    this.#count += 1
    return { number: this.#count, requestId, end: undefined }
  }

  #ends(invocation: Invocation, leftMs: number): void {
    invocation.end = new Deadline(this.#clock, Math.max(0, leftMs))
    this.#longestMs = Math.max(this.#longestMs ?? 0, leftMs)
  }
}

function invokeStore(): InvokeStore | undefined {
  return (globalThis as { awslambda?: { InvokeStore?: InvokeStore } }).awslambda?.InvokeStore
}
