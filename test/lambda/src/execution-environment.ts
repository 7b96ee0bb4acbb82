// One execution environment: its states, the events it is given, and what becomes of them.

import type { Environment, EnvironmentState, Reclaimed } from './api.ts'
import { isSettled, mayFollow } from './environment-states.ts'
import { functionArn, isManaged } from './environment-variables.ts'
import { SandboxError, timeoutError } from './errors.ts'
import type { PendingInvocation } from './pending-invocation.ts'
import type { Answer } from './runtime-api.ts'
import { Sandbox, type SandboxOptions } from './sandbox.ts'

export interface EnvironmentOptions extends Pick<
  SandboxOptions,
  'identity' | 'runtimeEntry' | 'nodeArgs' | 'extensions' | 'logStream'
> {
  readonly id: string
  readonly timeoutMs: number
  readonly initTimeoutMs: number
  readonly onLog: ((environmentId: string, line: string) => void) | undefined
}

const keptLogLines = 200

export class ExecutionEnvironment implements Environment {
  readonly id: string
  readonly log: string[] = []
  /** Grows with each time any environment became ready for an event: the greatest is the last used. */
  readySequence = 0
  static #readySequence = 0

  readonly #options: EnvironmentOptions
  readonly #maxConcurrency: number
  readonly #isManaged: boolean
  readonly #queue: PendingInvocation[] = []
  readonly #inFlight = new Map<string, PendingInvocation>()
  readonly #settledWaiters: (() => void)[] = []
  #sandbox: Sandbox | undefined
  #state: EnvironmentState = 'starting'
  #invocations = 0
  #isRetiring = false

  constructor(options: EnvironmentOptions) {
    this.#options = options
    this.id = options.id
    const { environment } = options.identity
    this.#isManaged = isManaged(environment)
    this.#maxConcurrency = Number(environment['AWS_LAMBDA_MAX_CONCURRENCY'] ?? 1)
  }

  get pid(): number | undefined {
    return this.#sandbox?.pid
  }

  get state(): EnvironmentState {
    return this.#state
  }

  get invocations(): number {
    return this.#invocations
  }

  /** Whether it can take an event at once. */
  get hasRoom(): boolean {
    if (this.#isRetiring) return false
    if (!this.#isManaged) return this.#state === 'frozen'
    const isUp = this.#state === 'idle' || this.#state === 'busy'
    return isUp && this.#inFlight.size + this.#queue.length < this.#maxConcurrency
  }

  /** Runs Init; the events given meanwhile follow at once. Returns what went wrong. */
  async start(): Promise<SandboxError | undefined> {
    const { initTimeoutMs, timeoutMs } = this.#options
    let error = await this.#tryInit(initTimeoutMs)
    if (error?.resetReason === 'timeout' && this.#queue.length > 0 && this.#state === 'starting') {
      this.#addLine(`${error.message}: Init runs again inside the invocation`)
      await this.#sandbox?.kill()
      error = await this.#tryInit(timeoutMs)
      if (error?.resetReason === 'timeout') error = timeoutError(timeoutMs, error.message)
    }
    if (this.#state !== 'starting') return error ?? new SandboxError('ServiceException', 'taken away')
    if (error === undefined) this.#becomeReady()
    else await this.#reset(error)
    return error
  }

  give(invocation: PendingInvocation): void {
    this.#queue.push(invocation)
    if (this.#state !== 'starting') this.#dispatch()
  }

  vanish(): void {
    if (this.#state === 'ended' || this.#state === 'vanished') return
    this.#move('vanished')
    this.#sandbox?.vanish()
    this.#failAll(new SandboxError('ServiceException', 'the environment vanished'))
  }

  async reclaim(reason: 'spindown' = 'spindown'): Promise<Reclaimed> {
    this.#isRetiring = true
    await this.settled()
    if (this.#sandbox === undefined || this.#state === 'ended' || this.#state === 'vanished') {
      return { exitedAfterMs: 0, killed: false }
    }
    this.#move('ending')
    const reclaimed = await this.#sandbox.shutDown(reason, 'SIGSTOP')
    this.#moveFromEnding(reclaimed.killed ? 'vanished' : 'ended')
    return reclaimed
  }

  /** Ends everything at once; what is still pending is told `reason`. */
  async kill(reason: Error): Promise<void> {
    this.#move('ended')
    for (const invocation of this.#takeAll()) invocation.reject(reason)
    await this.#sandbox?.kill()
  }

  async settled(): Promise<void> {
    while (!isSettled(this.#state)) {
      await new Promise<void>((resolve) => this.#settledWaiters.push(resolve))
    }
  }

  async #tryInit(limitMs: number): Promise<SandboxError | undefined> {
    if (this.#state !== 'starting') return undefined
    const sandbox = new Sandbox({
      ...this.#options,
      onLine: (line) => this.#addLine(line),
      onWaiting: () => this.#onWaiting(),
      onAnswer: (requestId, answer) => this.#onAnswer(requestId, answer),
      onFailure: (error) => void this.#reset(error),
    })
    this.#sandbox = sandbox
    try {
      await sandbox.init(limitMs)
      return undefined
    } catch (error) {
      return error instanceof SandboxError ? error : new SandboxError('Sandbox.StartError', String(error))
    }
  }

  /** Everybody waits: on with the next event, or into the freezer. */
  #becomeReady(): void {
    ExecutionEnvironment.#readySequence += 1
    this.readySequence = ExecutionEnvironment.#readySequence
    if (this.#isManaged) this.#move(this.#inFlight.size > 0 ? 'busy' : 'idle')
    else if (this.#queue.length === 0) {
      this.#sandbox?.freeze()
      this.#move('frozen')
      return
    }
    this.#dispatch()
  }

  #dispatch(): void {
    const sandbox = this.#sandbox
    if (sandbox === undefined) return
    while (sandbox.runtimeWaits && this.#inFlight.size < this.#maxConcurrency) {
      const invocation = this.#queue.shift()
      if (invocation === undefined) return
      const { timeoutMs, identity } = this.#options
      this.#invocations += 1
      this.#inFlight.set(invocation.requestId, invocation)
      invocation.dispatched(timeoutMs, () => this.#onTimeout(invocation))
      if (this.#state === 'frozen') sandbox.thaw()
      sandbox.deliver({
        requestId: invocation.requestId,
        body: invocation.body,
        deadlineEpochMs: Date.now() + timeoutMs,
        functionArn: functionArn(identity),
        traceId: invocation.traceId,
      })
      this.#move('busy')
    }
  }

  #onAnswer(requestId: string, answer: Answer): boolean {
    const invocation = this.#inFlight.get(requestId)
    if (invocation === undefined || invocation.isAnswered) return false
    invocation.answer(answer)
    if (this.#isManaged) this.#finish(invocation)
    else this.#move('draining')
    return true
  }

  #onWaiting(): void {
    if (this.#isManaged) return this.#dispatch()
    if (this.#state !== 'draining' || this.#sandbox?.everybodyWaits !== true) return
    for (const invocation of this.#inFlight.values()) this.#finish(invocation)
    this.#becomeReady()
  }

  #finish(invocation: PendingInvocation): void {
    invocation.over()
    this.#inFlight.delete(invocation.requestId)
    if (this.#isManaged && this.#state === 'busy') this.#becomeReady()
  }

  /** The time is up for the handler, or after its response for the extensions. */
  #onTimeout(invocation: PendingInvocation): void {
    const error = timeoutError(this.#options.timeoutMs)
    if (!this.#isManaged) return void this.#reset(error)
    // Managed Instances let the code run on, and its environment with it.
    invocation.fail(error)
    this.#finish(invocation)
  }

  /** Reports the error, then goes through the Shutdown phase; the next event starts another environment. */
  async #reset(error: SandboxError): Promise<void> {
    if (this.#state === 'ended' || this.#state === 'vanished' || this.#state === 'ending') return
    this.#addLine(error.message)
    this.#failAll(error)
    this.#move('ending')
    await this.#sandbox?.shutDown(error.resetReason, 'SIGKILL')
    this.#moveFromEnding('ended')
  }

  #failAll(error: SandboxError): void {
    for (const invocation of this.#takeAll()) invocation.fail(error)
  }

  #takeAll(): readonly PendingInvocation[] {
    const all = [...this.#inFlight.values(), ...this.#queue.splice(0)]
    this.#inFlight.clear()
    for (const invocation of all) invocation.over()
    return all
  }

  #addLine(line: string): void {
    this.log.push(line)
    if (this.log.length > keptLogLines) this.log.shift()
    this.#options.onLog?.(this.id, line)
  }

  /** It may have been killed, or have vanished, in the middle of its Shutdown phase. */
  #moveFromEnding(state: 'ended' | 'vanished'): void {
    if (this.#state === 'ending') this.#move(state)
  }

  #move(state: EnvironmentState): void {
    if (state === this.#state) return
    if (!mayFollow(this.#state, state)) {
      throw new Error(`${this.id}: ${this.#state} can't become ${state}`)
    }
    this.#state = state
    if (!isSettled(state)) return
    for (const resolve of this.#settledWaiters.splice(0)) resolve()
  }
}
