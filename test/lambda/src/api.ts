// What users of the emulator see: options, a function, its environments and its invocations.

/** How a function is deployed. */
export interface FunctionOptions {
  /** The function's name: `AWS_LAMBDA_FUNCTION_NAME`, its ARN, and the first part of environment ids. */
  readonly name: string
  /** Absolute folder that holds the handler's file: `LAMBDA_TASK_ROOT` and the working directory. */
  readonly taskRoot: string
  /** File and export, as Lambda writes them: `index.handler`, `src/shop.handler`. */
  readonly handler: string
  /**
   * Added to the variables Lambda sets, and stronger than they are, save for the three the runtime
   * can't do without (`AWS_LAMBDA_RUNTIME_API`, `_HANDLER`, `LAMBDA_TASK_ROOT`). Nothing of the
   * parent process's own environment is passed on. `AWS_LAMBDA_MAX_CONCURRENCY` makes the function one
   * of Lambda Managed Instances (`runtime: 'aws'` only).
   */
  readonly environment?: Readonly<Record<string, string>> | undefined
  /**
   * The function timeout, milliseconds, 1 to 900 000. Covers the handler and every extension subscribed
   * to INVOKE. Does not cover Init.
   * @defaultValue 3000
   */
  readonly timeoutMs?: number | undefined
  /**
   * Reported to the function; nothing is limited by it.
   * @defaultValue 512
   */
  readonly memoryMb?: number | undefined
  /**
   * The Node.js that runs the function.
   * @defaultValue `process.execPath`
   */
  readonly nodePath?: string | undefined
  /** Arguments for that Node.js, before the runtime's file: `['--conditions=@leasehold/source']`. */
  readonly nodeArgs?: readonly string[] | undefined
  /**
   * `aws`: AWS's own runtime client, `aws-lambda-ric`; deployment throws if its native part does not load.
   * `stand-in`: a small loop of the emulator's own. `auto`: the first if it loads, else the second.
   * @defaultValue 'auto'
   */
  readonly runtime?: 'auto' | RuntimeKind | undefined
  /**
   * Absolute path of an unpacked layer. The function's processes, and nobody else, see it as `/opt`; the executables in
   * its `extensions` are started, and `NODE_PATH` is what Lambda's runtimes set. Needs `unshare` and the right to
   * mount (root, or user namespaces): `optProblem()` says whether.
   */
  readonly opt?: string | undefined
  /** Absolute paths of external extensions: executables started before the runtime, as in `/opt/extensions`. */
  readonly extensions?: readonly string[] | undefined
  /**
   * Reserved concurrency. With so many environments alive and none of them idle, `invoke()` rejects with
   * a `ThrottledError`. 0 throttles everything. Unset: no limit.
   */
  readonly maxEnvironments?: number | undefined
  /** Called with each line an environment's processes write. They are kept on the environment as well. */
  readonly onLog?: ((environmentId: string, line: string) => void) | undefined
  /**
   * How long Init may take, milliseconds. When it takes longer, Init is run once more inside the
   * invocation, with the function timeout as its limit.
   * @defaultValue 10000
   */
  readonly initTimeoutMs?: number | undefined
}

export type RuntimeKind = 'aws' | 'stand-in'

/** A deployed function. Nothing runs until the first `invoke()` or `scaleTo()`. */
export interface LambdaFunction {
  readonly name: string
  /** Which runtime its environments use. */
  readonly runtime: RuntimeKind
  /**
   * Sends one event: to the most recently used idle environment, or to a new one if none is idle.
   * The handler's errors, timeouts and crashes come back inside the `Invocation`. Rejects only with a
   * `ThrottledError`, when `signal` is aborted (the function itself runs on, as on Lambda), or when the
   * function is disposed of.
   */
  invoke(event: unknown, options?: InvokeOptions): Promise<Invocation>
  /** Every environment there has been, in order of creation. */
  readonly environments: readonly Environment[]
  /** Resolves once no environment is starting, busy, draining or ending: all are frozen, idle or gone. */
  settled(): Promise<void>
  /**
   * Starts environments until `count` are ready for an event at the same time. Never ends any.
   * Rejects if one fails to initialise.
   */
  scaleTo(count: number): Promise<void>
  /** Kills every process of the function, frozen and vanished ones included. Pending invocations reject. */
  dispose(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

export interface InvokeOptions {
  readonly signal?: AbortSignal | undefined
  /**
   * Resolve only when the environment is frozen again (or gone), not as soon as the response is posted.
   * For closed loops: the next event then finds this environment idle and starts no other.
   * @defaultValue false
   */
  readonly settle?: boolean | undefined
}

/** What became of one event. */
export interface Invocation {
  readonly requestId: string
  readonly environmentId: string
  /** Whether an environment was started for this event. */
  readonly coldStart: boolean
  /** From the dispatch of the event, thaw included, to the posted response, milliseconds. */
  readonly latencyMs: number
  /** From `invoke()` to the dispatch of the event, milliseconds: Init, if this was a cold start. */
  readonly queuedMs: number
  /** What the handler returned: parsed if it is JSON, else the text. Absent if there is an `error`. */
  readonly payload?: unknown
  readonly error?: InvocationError | undefined
  readonly timedOut: boolean
}

export interface InvocationError {
  /** `Error`, `TypeError` … from the handler; `Sandbox.Timedout`, `Runtime.ExitError` … from the platform. */
  readonly errorType: string
  readonly errorMessage: string
  readonly trace?: readonly string[] | undefined
}

/**
 * - `starting`: in Init, or waiting for its turn to be started
 * - `idle`: ready for an event, not frozen (Managed Instances only)
 * - `busy`: has an event and has not yet answered
 * - `draining`: has answered, but the runtime or an extension is not yet back at `/next`
 * - `frozen`: everybody waits at `/next`; the processes are stopped
 * - `ending`: in Lambda's Shutdown phase
 * - `vanished`: gone without a FIN: stopped for ever, sockets open until `dispose()`
 * - `ended`: no process is left
 */
export type EnvironmentState =
  | 'starting'
  | 'idle'
  | 'busy'
  | 'draining'
  | 'frozen'
  | 'ending'
  | 'vanished'
  | 'ended'

/** One execution environment. Freezing and thawing are automatic. */
export interface Environment {
  readonly id: string
  /** The runtime's process id; `undefined` until it is started. */
  readonly pid: number | undefined
  readonly state: EnvironmentState
  /** How many events it has been given. */
  readonly invocations: number
  /** The last 200 lines its processes wrote. */
  readonly log: readonly string[]
  /**
   * Takes the environment away as Lambda does when nobody may say goodbye: the processes stay stopped, and
   * their sockets stay open as their peers see them, until `dispose()`. A pending invocation gets an error.
   */
  vanish(): void
  /**
   * Lambda's Shutdown phase: SIGTERM and the SHUTDOWN event within 0, 500 or 2,000 ms, depending on what
   * is registered. Waits for a running invocation first. What would have to be killed at the end vanishes
   * instead (`killed: true`), because a killed process sends a FIN where a reclaimed environment does not.
   */
  reclaim(reason?: 'spindown'): Promise<Reclaimed>
}

export interface Reclaimed {
  /** From the start of the Shutdown phase to the end of the last process, or to the end of the budget. */
  readonly exitedAfterMs: number
  readonly killed: boolean
}
