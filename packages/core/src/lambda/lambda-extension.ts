/** The internal extension: registers once a process, says farewell at SIGTERM, and keeps house after the response. */

import { isMainThread } from 'node:worker_threads'

import { type Clock, systemClock } from '../clock.ts'
import { type Env, runsSeveralInvocations, systemEnv } from '../env.ts'
import { consoleLogger, type Logger } from '../log.ts'
import { processWide } from '../process-wide.ts'
import { unawaited } from '../unawaited.ts'
import { endsWithin } from './ends-within.ts'
import { serveEvents } from './event-loop.ts'
import { ExtensionsApi } from './extensions-api.ts'
import { farewellAtSigterm } from './farewell.ts'
import { InvocationWatch } from './invocation-watch.ts'
import { asksByNativePart, threadPoolProblem } from './main-thread.ts'
import { checked, type CheckedOptions, type LambdaExtensionOptions } from './options.ts'
import { RuntimeClient } from './runtime-client.ts'
import { registration } from './threads.ts'
import { followInvocations, leaveWithMainThread } from './worker-thread.ts'

export type { InvocationListener, LambdaExtensionOptions } from './options.ts'

/** Init goes on without an answer after this. */
const REGISTER_LIMIT_MS = 3_000

/** What `lambdaExtension` could do. */
export interface ExtensionStatus {
  /** Lambda sends SIGTERM before it ends the environment, and all governed connections of the process are closed then. */
  readonly registered: boolean
  /** Housekeeping runs after the response, with the freeze waiting for it. */
  readonly afterResponse: boolean
  /** No wait for a connection outlasts the invocation, whether or not the handler calls `enter`. */
  readonly deadlines: boolean
  /** What is missing of what was asked for, in words; undefined where nothing is. */
  readonly problem: string | undefined
}

/**
 * Registers this process as an internal extension of its Lambda environment, so that its sessions end when the
 * environment does. Call it once where modules load, before or after pools are made; `await` it where that is
 * possible, though nothing is lost without. It takes effect once a process, whichever copies of this package are
 * loaded and whoever calls it first: later calls resolve to the first one's status, whatever their options.
 *
 * Never rejects, and takes 3 s at most. Outside Lambda, and where the Extensions API is not there or refuses, pools
 * work as without, and a line in the log says so (outside Lambda none does). On Managed Instances it takes effect
 * once a worker thread, and needs `@leasehold/core/lambda/preload` in the main thread, where signals arrive.
 *
 * @throws LeaseholdError `INVALID_OPTIONS`
 */
export function lambdaExtension(options: LambdaExtensionOptions = {}): Promise<ExtensionStatus> {
  const wanted = checked(options)
  const shared = processWide()
  shared.extension ??= new Extension(systemClock, systemEnv, wanted.logger).start(wanted)
  return shared.extension as Promise<ExtensionStatus>
}

class Extension {
  readonly #clock: Clock
  readonly #env: Env
  readonly #logger: Logger

  constructor(clock: Clock, env: Env, logger: Logger = consoleLogger) {
    this.#clock = clock
    this.#env = env
    this.#logger = logger
  }

  /** Never rejects. */
  async start(wanted: CheckedOptions): Promise<ExtensionStatus> {
    try {
      return await this.#start(wanted)
    } catch (error) {
      return this.#off(messageOf(error))
    }
  }

  async #start(wanted: CheckedOptions): Promise<ExtensionStatus> {
    const { afterResponse: wantsHold, afterResponseMs, invocations, preloaded } = wanted
    const place = this.#env['AWS_LAMBDA_RUNTIME_API']
    if (place === undefined || place === '') return OFF
    if (runsSeveralInvocations(this.#env)) {
      return isMainThread ? this.#off('no handler runs in the main thread') : this.#startInWorker(wantsHold)
    }
    if (!isMainThread) return this.#off('worker threads get no signal')
    farewellAtSigterm(this.#clock)
    const runtime = RuntimeClient.find()
    const watch = new InvocationWatch(this.#clock, afterResponseMs, invocations)
    const isWatched = runtime !== undefined || preloaded
    const holds = wantsHold && isWatched
    const api = new ExtensionsApi(place)
    const registered = this.#register(api, holds ? ['INVOKE'] : [], watch)
    const waited = this.#atMost(registered)
    if (runtime !== undefined) watch.begin(runtime, waited)
    else if (preloaded) RuntimeClient.whenLoaded((client) => watch.begin(client, waited))
    const problem = await waited
    if (problem !== undefined) return this.#off(problem, isWatched)
    if (holds || !wantsHold) return status(holds, isWatched)
    return this.#lacking(
      "nothing runs after the response: this is not AWS's runtime client, or it loads later",
    )
  }

  /** Resolves to what went wrong, or undefined. One that comes after all is served all the same: Init waits for it. */
  async #register(
    api: ExtensionsApi,
    events: readonly string[],
    watch: InvocationWatch,
  ): Promise<string | undefined> {
    try {
      const id = await api.register(events)
      if (events.length > 0) watch.hold()
      this.#serve(api, id, events.length > 0, watch)
      return undefined
    } catch (error) {
      return messageOf(error)
    }
  }

  async #atMost(registered: Promise<string | undefined>): Promise<string | undefined> {
    const isAnswered = await endsWithin(this.#clock, REGISTER_LIMIT_MS, registered)
    return isAnswered ? registered : `the Extensions API has not answered within ${REGISTER_LIMIT_MS} ms`
  }

  #serve(api: ExtensionsApi, id: string, holds: boolean, watch: InvocationWatch): void {
    void serveEvents(() => api.next(id), this.#clock, {
      invoke: (event) => watch.afterResponse(event),
      lost: (error) => {
        this.#say(`no more events for now: ${messageOf(error)}`)
        watch.stop()
      },
      found: () => {
        if (holds) watch.hold()
      },
    })
  }

  /** There is no INVOKE event, and no freeze to hold off; the main thread has the registration and the signal. */
  #startInWorker(wantsHold: boolean): ExtensionStatus {
    leaveWithMainThread(this.#clock)
    const runtime = asksByNativePart(this.#env) ? RuntimeClient.find() : undefined
    if (runtime !== undefined) followInvocations(this.#clock, runtime)
    const registered = registration()
    const problems = [
      registered === undefined &&
        'signals reach the main thread alone, which has not loaded `@leasehold/core/lambda/preload`: set NODE_OPTIONS',
      registered === false && 'the main thread is not registered as an extension',
      threadPoolProblem(this.#env),
      wantsHold && 'nothing is frozen on Managed Instances, so `afterResponse` has nothing to wait for',
    ].filter((problem) => typeof problem === 'string')
    const problem = problems.length === 0 ? undefined : problems.join('; ')
    if (problem !== undefined) this.#say(problem)
    const deadlines = runtime !== undefined
    return Object.freeze({ registered: registered === true, afterResponse: false, deadlines, problem })
  }

  #off(problem: string, deadlines = false): ExtensionStatus {
    this.#say(
      `not registered as an extension: ${problem}; sessions of a reclaimed environment end by their leases`,
    )
    return Object.freeze({ registered: false, afterResponse: false, deadlines, problem })
  }

  #lacking(problem: string): ExtensionStatus {
    this.#say(problem)
    return Object.freeze({ registered: true, afterResponse: false, deadlines: false, problem })
  }

  #say(problem: string): void {
    // A line is not worth an error.
    unawaited(() => this.#logger.warn(`leasehold: ${problem}`))
  }
}

const OFF: ExtensionStatus = Object.freeze({
  registered: false,
  afterResponse: false,
  deadlines: false,
  problem: 'this is not Lambda',
})

function status(afterResponse: boolean, deadlines: boolean): ExtensionStatus {
  return Object.freeze({ registered: true, afterResponse, deadlines, problem: undefined })
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
