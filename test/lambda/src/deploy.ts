// Deploys a function: starts environments as events ask for them and sends each event to the right one.

import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { dirname, isAbsolute } from 'node:path'

import type { FunctionOptions, Invocation, InvokeOptions, LambdaFunction, RuntimeKind } from './api.ts'
import { isGone } from './environment-states.ts'
import { isManaged } from './environment-variables.ts'
import { DeploymentError, DisposedError, ThrottledError } from './errors.ts'
import { ExecutionEnvironment, type EnvironmentOptions } from './execution-environment.ts'
import { extensionsIn, optProblem } from './opt.ts'
import { PendingInvocation } from './pending-invocation.ts'
import { chooseRuntime, type Runtime } from './runtimes.ts'

/** Throws a `DeploymentError` that lists everything wrong with the options. Starts nothing yet. */
export function deployFunction(options: FunctionOptions): LambdaFunction {
  const problems = findProblems(options)
  if (problems.length > 0) {
    throw new DeploymentError(
      `can't deploy ${options.name}:\n${problems.map((text) => ` - ${text}`).join('\n')}`,
    )
  }
  const runtime = chooseRuntime(options.runtime ?? 'auto', options.nodePath ?? process.execPath)
  if (runtime.kind === 'stand-in' && isManaged(options.environment ?? {})) {
    throw new DeploymentError('AWS_LAMBDA_MAX_CONCURRENCY: not yet emulated by the stand-in runtime')
  }
  return new DeployedFunction(options, runtime)
}

class DeployedFunction implements LambdaFunction {
  readonly name: string
  readonly runtime: RuntimeKind
  readonly environments: ExecutionEnvironment[] = []
  readonly #options: FunctionOptions
  readonly #runtime: Runtime
  #isDisposed = false

  constructor(options: FunctionOptions, runtime: Runtime) {
    this.name = options.name
    this.runtime = runtime.kind
    this.#options = options
    this.#runtime = runtime
  }

  async invoke(event: unknown, { signal, settle = false }: InvokeOptions = {}): Promise<Invocation> {
    this.#assertNotDisposed()
    signal?.throwIfAborted()
    const idle = this.#lastUsedWithRoom()
    const environment = idle ?? this.#addEnvironment()
    const pending = new PendingInvocation(event, environment.id, idle === undefined)
    environment.give(pending)
    if (idle === undefined) void environment.start()
    const invocation = await unlessAborted(pending.result, signal)
    if (settle && !isManaged(this.#options.environment ?? {})) {
      await unlessAborted(environment.settled(), signal)
    }
    return invocation
  }

  async settled(): Promise<void> {
    await Promise.all(this.environments.map((environment) => environment.settled()))
  }

  async scaleTo(count: number): Promise<void> {
    this.#assertNotDisposed()
    const ready = this.environments.filter((environment) => environment.hasRoom).length
    const starts = Array.from({ length: Math.max(0, count - ready) }, () => this.#addEnvironment().start())
    for (const error of await Promise.all(starts)) {
      if (error !== undefined) throw error
    }
  }

  async dispose(): Promise<void> {
    this.#isDisposed = true
    const reason = new DisposedError(`${this.name} was disposed of`)
    await Promise.all(this.environments.map((environment) => environment.kill(reason)))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose()
  }

  #lastUsedWithRoom(): ExecutionEnvironment | undefined {
    let best: ExecutionEnvironment | undefined
    for (const environment of this.environments) {
      if (environment.hasRoom && environment.readySequence > (best?.readySequence ?? 0)) best = environment
    }
    return best
  }

  #addEnvironment(): ExecutionEnvironment {
    const { name, maxEnvironments = Infinity } = this.#options
    const alive = this.environments.filter(({ state }) => !isGone(state)).length
    if (alive >= maxEnvironments) {
      throw new ThrottledError(`Rate Exceeded: all ${maxEnvironments} environments of ${name} are busy`)
    }
    const environment = new ExecutionEnvironment(this.#environmentOptions())
    this.environments.push(environment)
    return environment
  }

  #environmentOptions(): EnvironmentOptions {
    const options = this.#options
    const runtime = this.#runtime
    const day = new Date().toISOString().slice(0, 10).replaceAll('-', '/')
    return {
      id: `${options.name}-${this.environments.length + 1}`,
      identity: {
        name: options.name,
        taskRoot: options.taskRoot,
        handler: options.handler,
        memoryMb: options.memoryMb ?? 512,
        nodePath: options.nodePath ?? process.execPath,
        nodeMajor: runtime.nodeMajor,
        environment: options.environment ?? {},
        runtimeDir: dirname(runtime.entry),
        opt: options.opt,
      },
      runtimeEntry: runtime.entry,
      nodeArgs: options.nodeArgs ?? [],
      extensions: [...(options.extensions ?? []), ...extensionsIn(options.opt)],
      logStream: `${day}/[$LATEST]${randomBytes(16).toString('hex')}`,
      timeoutMs: options.timeoutMs ?? 3_000,
      initTimeoutMs: options.initTimeoutMs ?? 10_000,
      onLog: options.onLog,
    }
  }

  #assertNotDisposed(): void {
    if (this.#isDisposed) throw new DisposedError(`${this.name} was disposed of`)
  }
}

function findProblems(options: FunctionOptions): readonly string[] {
  const problems: string[] = []
  const { name, taskRoot, handler, timeoutMs, initTimeoutMs, maxEnvironments, extensions = [], opt } = options
  if (!/^[\w-]{1,64}$/.test(name))
    problems.push('`name` must be 1 to 64 letters, digits, hyphens, underscores')
  if (!isAbsolute(taskRoot) || !existsSync(taskRoot)) {
    problems.push(`\`taskRoot\` must be the absolute path of a folder, got ${taskRoot}`)
  }
  if (!/[^/.]\.[^/]+$/.test(handler)) problems.push(`\`handler\` must be FILE.EXPORT, got ${handler}`)
  for (const [option, value] of Object.entries({ timeoutMs, initTimeoutMs })) {
    if (value !== undefined && !(value >= 1 && value <= 900_000)) {
      problems.push(`\`${option}\` must be 1 to 900000 milliseconds, got ${value}`)
    }
  }
  if (maxEnvironments !== undefined && !(maxEnvironments >= 0)) {
    problems.push(`\`maxEnvironments\` must be 0 or more, got ${maxEnvironments}`)
  }
  if (opt !== undefined) {
    if (!isAbsolute(opt) || !existsSync(opt)) {
      problems.push(`\`opt\` must be the absolute path of a folder, got ${opt}`)
    }
    const problem = optProblem()
    if (problem !== undefined) problems.push(`\`opt\` can't be mounted here: ${problem}`)
  }
  for (const path of extensions) {
    if (!isAbsolute(path) || !existsSync(path)) problems.push(`no such extension: ${path}`)
  }
  return problems
}

async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
