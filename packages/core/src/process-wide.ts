/** What all copies of this package in one process share: their open sessions, and what Lambda says of the invocation. */

import type { Clock } from './clock.ts'
import type { PlaceKeeper } from './share.ts'

/** The open sessions of one governor. */
export interface OpenSessions {
  /**
   * Stops what runs, says goodbye and closes. Resolves once that is done; never rejects.
   *
   * @param sparesUsed leaves alone what the application has
   */
  leave(sparesUsed?: boolean): Promise<void>
  /** Cuts what is still open; where it `sparesUsed`, of what `leave` has left alone nothing. */
  cut(sparesUsed?: boolean): void
}

/** The invocation that is running, as Lambda's runtime client was told. */
export interface AnnouncedInvocation {
  readonly requestId: string
  readonly deadlineEpochMs: number
  /** The longest time that any invocation of this process has had, milliseconds. */
  readonly longestMs: number
}

/** One object a process, whichever copies are loaded: what it has now stays, what comes later is optional. */
export interface ProcessWide {
  /** Of governors that have any. */
  readonly sessions: Set<OpenSessions>
  /** Undefined between invocations, and where nobody listens. */
  invocation: AnnouncedInvocation | undefined
  /** Where several run at once in this thread: when each ends, by its request id; those that have not answered yet. */
  running?: ReadonlyMap<string, number> | undefined
  /** Takes what is to be done after the response. Undefined where nothing holds the freeze off. */
  hold: ((work: () => Promise<void>) => void) | undefined
  /** What came of registering as an extension, once that was asked for. */
  extension: Promise<unknown> | undefined
  /** This is a worker thread, and closes its sessions when the main thread says so. */
  leavesWithMainThread?: boolean | undefined
  /** Gives out places to the threads of one environment. Undefined where each has its even share. */
  places?: PlaceKeeper | undefined
}

const KEY = Symbol.for('leasehold.process.1')

export function processWide(): ProcessWide {
  const holder = globalThis as { [KEY]?: ProcessWide }
  holder[KEY] ??= { sessions: new Set(), invocation: undefined, hold: undefined, extension: undefined }
  return holder[KEY]
}

/** Runs `work` after the response where the freeze waits for it, else in the next turn, unawaited. */
export function afterResponse(clock: Clock, work: () => Promise<void>): void {
  const { hold } = processWide()
  if (hold === undefined) clock.defer(() => void work())
  else hold(work)
}
