// The processes of one environment with the two APIs they talk to, from Init to their end.

import { basename } from 'node:path'

import { ApiServer } from './api-server.ts'
import type { Reclaimed } from './api.ts'
import { deferred, type Deferred } from './deferred.ts'
import {
  extensionVariables,
  isManaged,
  layerVariables,
  runtimeVariables,
  type FunctionIdentity,
} from './environment-variables.ts'
import { SandboxError } from './errors.ts'
import { ExtensionRegistry } from './extensions-api.ts'
import { withOpt } from './opt.ts'
import { ProcessGroup, type ProcessExit } from './process-group.ts'
import { RuntimeApi, type Answer, type Delivery } from './runtime-api.ts'
import { exitedWithin, shutDown, type ShutdownReason } from './shutdown.ts'
import { placeToStart } from './start-queue.ts'

export interface SandboxOptions {
  readonly identity: FunctionIdentity
  readonly runtimeEntry: string
  readonly nodeArgs: readonly string[]
  readonly extensions: readonly string[]
  readonly logStream: string
  readonly onLine: (line: string) => void
  /** Somebody called `/next`, after Init. */
  readonly onWaiting: () => void
  readonly onAnswer: (requestId: string, answer: Answer) => boolean
  /** A process ended, or an extension gave up, after Init. */
  readonly onFailure: (error: SandboxError) => void
}

export class Sandbox {
  readonly #options: SandboxOptions
  readonly #runtimeApi: RuntimeApi
  readonly #registry: ExtensionRegistry
  readonly #server: ApiServer
  readonly #externals = new Map<string, ProcessGroup>()
  #runtime: ProcessGroup | undefined
  readonly #init: Deferred<void> = deferred()
  #isInitDone = false
  #isEnding = false

  constructor(options: SandboxOptions) {
    this.#options = options
    const onFailure = (error: SandboxError): void => this.#fail(error)
    this.#runtimeApi = new RuntimeApi({
      onNext: () => {
        this.#registry.closeRegistration()
        this.#onChange()
      },
      onAnswer: options.onAnswer,
      onInitError: onFailure,
    })
    this.#registry = new ExtensionRegistry({
      identity: options.identity,
      externalNames: options.extensions.map((path) => basename(path)),
      isManaged: isManaged(options.identity.environment),
      onChange: () => this.#onChange(),
      onFailure,
    })
    this.#server = new ApiServer({ ...this.#runtimeApi.routes, ...this.#registry.routes })
    // Nobody may be listening when it fails.
    this.#init.promise.catch(() => undefined)
  }

  get pid(): number | undefined {
    return this.#runtime?.pid
  }

  /** Resolves when Init is done; rejects with a `SandboxError` if it fails or takes longer than `limitMs`. */
  async init(limitMs: number): Promise<void> {
    const leavePlace = await placeToStart()
    try {
      if (this.#isEnding) return await this.#init.promise
      await this.#server.listen()
      const timer = setTimeout(() => {
        const problem = `Init took longer than ${limitMs} ms: ${this.#whoIsMissing()}`
        this.#fail(new SandboxError('Sandbox.Timedout', problem, { resetReason: 'timeout' }))
      }, limitMs)
      this.#startExternals()
      this.#startRuntimeOnceExternalsRegistered()
      await this.#init.promise.finally(() => clearTimeout(timer))
    } finally {
      leavePlace()
    }
  }

  get runtimeWaits(): boolean {
    return this.#runtimeApi.isWaiting
  }

  /** Whether runtime and extensions all wait for something to do: the moment Lambda may freeze them. */
  get everybodyWaits(): boolean {
    return this.#runtimeApi.isWaiting && this.#registry.allWait
  }

  freeze(): void {
    this.#signal('SIGSTOP')
  }

  thaw(): void {
    this.#signal('SIGCONT')
  }

  /** The event to the runtime and the INVOKE event to those subscribed, at the same time. */
  deliver(delivery: Delivery): void {
    this.#runtimeApi.deliver(delivery)
    this.#registry.deliver('INVOKE', {
      deadlineMs: delivery.deadlineEpochMs,
      requestId: delivery.requestId,
      invokedFunctionArn: delivery.functionArn,
      tracing: { type: 'X-Amzn-Trace-Id', value: delivery.traceId },
    })
  }

  /** Lambda's Shutdown phase. */
  async shutDown(reason: ShutdownReason, lastSignal: 'SIGSTOP' | 'SIGKILL'): Promise<Reclaimed> {
    this.#isEnding = true
    const crew = { runtime: this.#runtime, externals: this.#externals, registry: this.#registry }
    const reclaimed = await shutDown(crew, reason, lastSignal)
    if (lastSignal === 'SIGKILL') await this.kill()
    else this.#server.close()
    return reclaimed
  }

  /** Stops the processes for good. */
  vanish(): void {
    this.#giveUpInit()
    this.#signal('SIGSTOP')
    this.#server.close()
  }

  async kill(): Promise<void> {
    this.#giveUpInit()
    this.#signal('SIGKILL')
    this.#server.close()
    await exitedWithin(this.#everybody, 5_000)
  }

  #giveUpInit(): void {
    this.#isEnding = true
    this.#init.reject(new SandboxError('ServiceException', 'the environment was taken away'))
  }

  get #everybody(): readonly ProcessGroup[] {
    return [...(this.#runtime === undefined ? [] : [this.#runtime]), ...this.#externals.values()]
  }

  #signal(name: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): void {
    this.#runtime?.signal(name)
    for (const process of this.#externals.values()) process.signal(name)
  }

  #startExternals(): void {
    const { extensions, identity, logStream, onLine } = this.#options
    const env = extensionVariables(runtimeVariables(identity, logStream, this.#server.hostAndPort))
    for (const path of extensions) {
      const name = basename(path)
      const [command = '', ...args] = withOpt(identity.opt, [path])
      const onExit = (exit: ProcessExit): void => {
        const how = exit.succeeded ? 'exited' : `exited with error: ${exit.description}`
        this.#fail(new SandboxError('Extension.Crash', `Error: extension ${name} ${how}`))
      }
      this.#externals.set(name, new ProcessGroup({ command, args, cwd: '/', env, onLine, onExit }))
    }
  }

  /** Extension init comes before runtime init. */
  #startRuntimeOnceExternalsRegistered(): void {
    if (this.#runtime !== undefined || this.#isEnding) return
    for (const name of this.#externals.keys()) if (this.#registry.byName(name) === undefined) return
    const { identity, nodeArgs, runtimeEntry, logStream, onLine } = this.#options
    const argv = [identity.nodePath, ...nodeArgs, runtimeEntry, identity.handler]
    const wrapper = identity.environment['AWS_LAMBDA_EXEC_WRAPPER']
    if (wrapper !== undefined) argv.unshift(wrapper)
    const [command = '', ...args] = withOpt(identity.opt, argv)
    const env = {
      ...runtimeVariables(identity, logStream, this.#server.hostAndPort),
      ...layerVariables(identity),
    }
    const onExit = (exit: ProcessExit): void => {
      const how = exit.succeeded ? 'without providing a reason' : `with error: ${exit.description}`
      this.#fail(new SandboxError('Runtime.ExitError', `Error: Runtime exited ${how}`))
    }
    this.#runtime = new ProcessGroup({ command, args, cwd: identity.taskRoot, env, onLine, onExit })
  }

  #onChange(): void {
    if (this.#isEnding) return
    if (this.#isInitDone) return this.#options.onWaiting()
    this.#startRuntimeOnceExternalsRegistered()
    if (!this.#runtimeApi.isWaiting || !this.#registry.allHaveCalledNext) return
    this.#isInitDone = true
    this.#init.resolve(undefined)
  }

  #fail(error: SandboxError): void {
    if (this.#isEnding) return
    this.#isEnding = true
    if (this.#isInitDone) this.#options.onFailure(error)
    else this.#init.reject(error)
  }

  #whoIsMissing(): string {
    const missing = [...this.#externals.keys()]
      .filter((name) => this.#registry.byName(name) === undefined)
      .map((name) => `extension ${name} has not registered`)
    for (const extension of this.#registry.registered) {
      if (!extension.hasCalledNext) missing.push(`extension ${extension.name} has not called /event/next`)
    }
    if (!this.#runtimeApi.isWaiting) missing.push('the runtime has not called /invocation/next')
    return missing.join(', ')
  }
}
