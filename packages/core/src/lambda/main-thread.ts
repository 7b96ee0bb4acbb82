/**
 * The main thread of an environment of Managed Instances. It runs no handler, but is the only one that gets SIGTERM:
 * registers as an extension, so that there is one, and passes it on to the worker threads.
 */

import type { Worker } from 'node:worker_threads'

import type { Clock } from '../clock.ts'
import { type Env, setSystemEnv } from '../env.ts'
import type { Logger } from '../log.ts'
import { workerCount } from '../share.ts'
import { endsWithin } from './ends-within.ts'
import { serveEvents } from './event-loop.ts'
import { ExtensionsApi } from './extensions-api.ts'
import { farewellAtSigterm } from './farewell.ts'
import { announceRegistration, openChannel, type Told } from './threads.ts'

/** Workers cut what is open after 100 ms, and then say so; Lambda's own emulator leaves 150. */
const WORKERS_LEAVE_MS = 130
/** The size of libuv's pool of threads where nobody sets another. */
const LIBUV_THREADS = 4
const MOST_LIBUV_THREADS = 1_024

export class MainThread {
  readonly #clock: Clock
  readonly #env: Env
  readonly #logger: Logger
  /** Worker threads that have joined and not ended. */
  readonly #joined = new Set<number>()
  #send: (told: Told) => void = () => {}
  #allLeft: (() => void) | undefined

  constructor(clock: Clock, env: Env, logger: Logger) {
    this.#clock = clock
    this.#env = env
    this.#logger = logger
  }

  /** Before the runtime client starts its workers. Never throws, and resolves when the registration is settled. */
  async begin(): Promise<void> {
    const { AWS_LAMBDA_RUNTIME_API: place } = this.#env
    if (place === undefined || place === '') return
    widenThreadPool(this.#env)
    const settle = announceRegistration()
    this.#send = openChannel((told) => this.#hear(told))
    process.on('worker', (worker: Worker) => {
      // Its id is gone when it has ended.
      const { threadId } = worker
      worker.once('exit', () => this.#lost(threadId))
    })
    farewellAtSigterm(this.#clock, (sparesUsed) => this.#sayFarewell(sparesUsed))
    try {
      const api = new ExtensionsApi(place)
      // Managed Instances have no INVOKE event.
      const id = await api.register([])
      settle(true)
      void serveEvents(() => api.next(id), this.#clock, {
        invoke: () => Promise.resolve(),
        lost: () => {},
        found: () => {},
      })
    } catch (error) {
      settle(false)
      const reason = error instanceof Error ? error.message : String(error)
      this.#logger.warn(
        `leasehold: not registered as an extension: ${reason}; sessions of an ended environment end by their leases`,
      )
    }
  }

  async #sayFarewell(sparesUsed: boolean): Promise<void> {
    if (this.#joined.size === 0) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#allLeft = resolve
    this.#send({ leave: { sparesUsed } })
    await endsWithin(this.#clock, WORKERS_LEAVE_MS, promise)
  }

  #hear(told: Told): void {
    if ('joined' in told) this.#joined.add(told.joined)
    else if ('left' in told) this.#lost(told.left)
  }

  #lost(threadId: number): void {
    this.#joined.delete(threadId)
    if (this.#joined.size === 0) this.#allLeft?.()
  }
}

/**
 * AWS's runtime client waits for the next event on a thread of libuv's pool, one a worker. Where that takes them all,
 * no name is resolved and no password hashed until an event comes, and so no connection opened.
 */
function widenThreadPool(env: Env): void {
  if (occupiedThreads(env) === 0 || env['UV_THREADPOOL_SIZE'] !== undefined) return
  const size = Math.min(MOST_LIBUV_THREADS, occupiedThreads(env) + LIBUV_THREADS)
  setSystemEnv('UV_THREADPOOL_SIZE', String(size))
}

/** How many of libuv's threads the runtime client's questions take. */
function occupiedThreads(env: Env): number {
  return env['AWS_LAMBDA_NODEJS_USE_ALTERNATIVE_CLIENT_1'] === 'true' ? 0 : workerCount(env)
}

/** Whether the questions leave none over; said by a worker, where the main thread could not see to it. */
export function threadPoolProblem(env: Env): string | undefined {
  const occupied = occupiedThreads(env)
  const size = Number(env['UV_THREADPOOL_SIZE'] ?? LIBUV_THREADS)
  if (occupied < size) return undefined
  return (
    `the runtime client's ${occupied} workers occupy all ${size} threads of libuv's pool while they wait, and no ` +
    `connection opens meanwhile: set UV_THREADPOOL_SIZE to ${occupied + LIBUV_THREADS} in the function's configuration`
  )
}
