/**
 * Who asks for a connection, where invocations run side by side. A pool serves a waiting request in whatever context
 * a connection came free; what is done for the one must not be taken for the other's.
 */

import { AsyncResource } from 'node:async_hooks'

import type { GovernedConnection } from './connection.ts'
import type { Invocation } from './invocation.ts'

/** Made when modules load, before any invocation. */
const before = new AsyncResource('leasehold.connection')

/**
 * Runs `work` in no invocation's context. A socket is heard, for as long as it lives, in the context that it was made
 * in: what an application does in a callback of one invocation must not be taken for that of the one that opened it.
 */
export function outsideInvocations<T>(work: () => T): T {
  return before.runInAsyncScope(work)
}

export class Asker {
  readonly #context = new AsyncResource('leasehold.request')
  readonly #invocation: Invocation
  readonly #took: (governed: GovernedConnection, invocation: Invocation) => void

  constructor(invocation: Invocation, took: (governed: GovernedConnection, invocation: Invocation) => void) {
    this.#invocation = invocation
    this.#took = took
  }

  /** Runs `work` in the context in which the connection was asked for. */
  run<T>(work: () => T): T {
    return this.#context.runInAsyncScope(work)
  }

  /** It has what it asked for, if it was anything. */
  took(governed: GovernedConnection | undefined): void {
    if (governed !== undefined) this.#took(governed, this.#invocation)
  }
}
