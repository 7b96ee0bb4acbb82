/** One invocation, as connections remember it, and what a pool asks about them. */

import type { Deadline } from './deadline.ts'

/** What Lambda gives a handler as its second argument, as far as it matters here. */
export interface InvocationContext {
  readonly awsRequestId: string
  getRemainingTimeInMillis(): number
}

/** Kept of the time left, so that an answer still gets out. */
export const RESERVE_MS = 500

export interface Invocation {
  /** From 1 in each pool; 0 is the time before the first, when modules load. */
  readonly number: number
  readonly requestId: string | undefined
  end: Deadline | undefined
}

/** Of no invocation: taken while modules load, or in a context of which nothing is known. */
export const NOBODYS: Invocation = Object.freeze({ number: 0, requestId: undefined, end: undefined })

/** Told apart by what runs after what, or by context. */
export interface InvocationsOfPool {
  /** Several run at once in this thread. */
  readonly areConcurrent: boolean
  /** The one that is running, as far as that is known. */
  readonly current: Invocation
  /** The longest time that an invocation had at its beginning, in milliseconds; undefined where that is not known. */
  readonly longestMs: number | undefined
  /** Whether one may be over that was not before: then somebody looks for what it left. Hot. */
  look(): boolean
  /** The handler says which invocation this is, and when it ends. True as for `look`. */
  enter(context: InvocationContext): boolean
  isOver(invocation: Invocation): boolean
  /** `invocation` has a connection now. */
  took(invocation: Invocation): void
  /** Milliseconds that may be spent before the end of the current one; undefined where the end is not known. */
  spendableMs(): number | undefined
  /** The same where the handler said so itself: then statements end with the invocation, and not its waits alone. */
  enteredMs(): number | undefined
}
