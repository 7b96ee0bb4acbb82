/** Tells one invocation from the next, and how much time the present one has left. */

import type { Clock } from './clock.ts'
import { Deadline } from './deadline.ts'
import { type Env, invocationMark, runsSeveralInvocations } from './env.ts'
import {
  type Invocation,
  type InvocationContext,
  type InvocationsOfPool,
  NOBODYS,
  RESERVE_MS,
} from './invocation.ts'
import { type ProcessWide, processWide } from './process-wide.ts'

/**
 * One after another, numbered from 1 in this process; 0 is the time before the first, when modules load.
 * Outside Lambda it stays at 0 until a handler calls `enter`.
 */
export class Invocations implements InvocationsOfPool {
  readonly areConcurrent = false
  readonly #clock: Clock
  readonly #env: Env
  readonly #announced: Pick<ProcessWide, 'invocation'>
  #mark: string | undefined
  #requestId: string | undefined
  #current: Invocation = NOBODYS
  #end: Deadline | undefined
  #longestMs: number | undefined

  /** @param announced where Lambda's runtime client says of each invocation how much time it has */
  constructor(clock: Clock, env: Env, announced: Pick<ProcessWide, 'invocation'> = processWide()) {
    this.#clock = clock
    this.#env = env
    this.#announced = announced
  }

  get number(): number {
    return this.#current.number
  }

  get current(): Invocation {
    return this.#current
  }

  /** Once another has begun. */
  isOver(invocation: Invocation): boolean {
    return invocation !== this.#current
  }

  took(): void {}

  /** Asks the runtime's environment. True when another invocation has begun since the last call. */
  look(): boolean {
    const mark = invocationMark(this.#env)
    if (mark === undefined || mark === this.#mark) return false
    this.#mark = mark
    this.#begin()
    return true
  }

  /** The handler says which invocation this is, and when it ends. True when it is another one. */
  enter(context: InvocationContext): boolean {
    if (runsSeveralInvocations(this.#env)) return false
    const { awsRequestId } = context
    const isMarked = this.look()
    // A mark may have been seen before the handler came to speak; and the same one may come twice.
    const isFirstWord = this.#requestId === undefined && this.#mark !== undefined
    const isAnother = isMarked || (!isFirstWord && this.#requestId !== awsRequestId)
    if (isAnother && !isMarked) this.#begin()
    this.#requestId = awsRequestId
    const leftMs = context.getRemainingTimeInMillis()
    this.#end = Number.isFinite(leftMs) ? new Deadline(this.#clock, leftMs) : undefined
    if (Number.isFinite(leftMs)) this.#longestMs = Math.max(this.#longestMs ?? 0, leftMs)
    return isAnother
  }

  /** The longest time that an invocation had at its beginning, in milliseconds; undefined where that is not known. */
  get longestMs(): number | undefined {
    return this.#announced.invocation?.longestMs ?? this.#longestMs
  }

  /** Milliseconds that may be spent before the invocation's end; undefined where the end is not known. */
  spendableMs(): number | undefined {
    const { invocation } = this.#announced
    if (invocation === undefined) return this.enteredMs()
    return lessReserve(invocation.deadlineEpochMs - this.#clock.epochMs())
  }

  /** The same where the handler said so itself: then statements end with the invocation, and not its waits alone. */
  enteredMs(): number | undefined {
    return lessReserve(this.#end?.leftMs())
  }

  #begin(): void {
    this.#current = { number: this.#current.number + 1, requestId: undefined, end: undefined }
    this.#requestId = undefined
    this.#end = undefined
  }
}

/** Past its end Lambda has ended it: whatever runs now is another one, whose end is not known. */
function lessReserve(leftMs: number | undefined): number | undefined {
  return leftMs === undefined || leftMs <= 0 ? undefined : Math.max(0, leftMs - RESERVE_MS)
}
