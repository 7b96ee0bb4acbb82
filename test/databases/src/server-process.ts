// The life of one server process on one port and one folder: start, stop, kill, start again, dispose.
// Which binary that is, and how to see that it is ready, the engines say.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'

import { waitUntil } from './deadline.ts'
import { startGuard } from './guard.ts'
import type { Guard } from './guard.ts'
import { isAlive, killTree, treeCpuMs } from './process-tree.ts'
import type { DatabaseServer } from './server.ts'

export interface Command {
  readonly file: string
  readonly args: readonly string[]
  /** User and group to run as. */
  readonly uid?: number
  readonly gid?: number
  /** @defaultValue the environment of this process */
  readonly env?: Readonly<Record<string, string>>
}

export interface ServerProcessOptions {
  /** For messages, for example `PostgreSQL 18`. */
  readonly name: string
  /** The server's own folder; {@link ServerProcess.dispose} removes it. */
  readonly directory: string
  /** Files of the server's own elsewhere, to be removed with the folder. */
  readonly filesElsewhere?: readonly string[] | undefined
  readonly command: Command
  /** The signal that means an orderly, fast shutdown to this server. */
  readonly stopSignal: NodeJS.Signals
  /** Resolves if the server is ready (logins work, for instance); throws while it is not. */
  readonly probe: () => Promise<void>
  /** Called before the server is stopped or killed. */
  readonly beforeEnd?: () => void
  /** Must not appear in any message. */
  readonly secrets: readonly string[]
}

const START_WITHIN_MS = 60_000
const STOP_WITHIN_MS = 30_000
const LOG_TAIL_CHARACTERS = 4000

/** The part of a server's face that is the same for every engine. */
export type Lifecycle = Pick<DatabaseServer, 'stop' | 'kill' | 'start' | 'restart' | 'cpuMs' | 'dispose'>

export class ServerProcess {
  readonly #options: ServerProcessOptions
  readonly #guard: Guard
  #child: ChildProcess | undefined
  #cpuMsOfEarlierProcesses = 0
  #disposed = false

  constructor(options: ServerProcessOptions) {
    this.#options = options
    this.#guard = startGuard(this.#paths)
  }

  get lifecycle(): Lifecycle {
    return {
      stop: () => this.stop(),
      kill: () => this.kill(),
      start: () => this.start(),
      restart: () => this.restart(),
      cpuMs: () => Promise.resolve(this.cpuMs()),
      dispose: () => this.dispose(),
    }
  }

  async start(): Promise<void> {
    const { name, command } = this.#options
    if (this.#disposed) throw new Error(`${name} was disposed of and cannot be started again`)
    if (this.#child) throw new Error(`${name} is running already`)
    // A file and not a pipe: a refused client costs a line in the log, and no test should pay for reading it.
    const log = openSync(this.#logFile, 'a')
    const child = spawn(command.file, command.args, { ...command, stdio: ['ignore', log, log] })
    closeSync(log)
    this.#child = child
    child.once('exit', () => this.#forget(child))
    try {
      await once(child, 'spawn')
      this.#guard.watch(child.pid)
      await this.#ready(child)
    } catch (error) {
      await this.kill()
      throw new Error(`${name} did not start: ${String(error)}\n${this.#logTail()}`, { cause: error })
    }
  }

  async stop(): Promise<void> {
    const child = this.#child
    if (!child) return
    this.#options.beforeEnd?.()
    this.#cpuMsOfEarlierProcesses = this.cpuMs()
    child.kill(this.#options.stopSignal)
    await waitUntil(
      () => `${this.#options.name} stops`,
      STOP_WITHIN_MS,
      () => this.#child !== child,
    )
  }

  async kill(): Promise<void> {
    const child = this.#child
    if (child?.pid === undefined) {
      this.#child = undefined
      return
    }
    this.#options.beforeEnd?.()
    this.#cpuMsOfEarlierProcesses = this.cpuMs()
    const pids = killTree(child.pid)
    await waitUntil(
      () => `${this.#options.name} is dead`,
      STOP_WITHIN_MS,
      () => this.#child !== child && !pids.some(isAlive),
    )
  }

  async restart(): Promise<void> {
    await this.stop()
    await this.start()
  }

  cpuMs(): number {
    return this.#cpuMsOfEarlierProcesses + (this.#child?.pid ? treeCpuMs(this.#child.pid) : 0)
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return
    this.#disposed = true
    await this.kill()
    for (const path of this.#paths) await rm(path, { recursive: true, force: true, maxRetries: 3 })
    this.#guard.release()
  }

  async #ready(child: ChildProcess): Promise<void> {
    let problem = 'it was not asked'
    const check = async (): Promise<boolean> => {
      if (this.#child !== child)
        throw new Error(`it ended with ${child.exitCode ?? child.signalCode} (${problem})`)
      try {
        await this.#options.probe()
        return true
      } catch (error) {
        problem = String(error)
        return false
      }
    }
    await waitUntil(() => `it is ready (${problem})`, START_WITHIN_MS, check)
  }

  #forget(child: ChildProcess): void {
    if (this.#child !== child) return
    this.#child = undefined
    this.#guard.watch(undefined)
  }

  get #paths(): readonly string[] {
    const { directory, filesElsewhere = [] } = this.#options
    return [directory, ...filesElsewhere]
  }

  get #logFile(): string {
    return join(this.#options.directory, 'server.log')
  }

  #logTail(): string {
    const tail = readFileSync(this.#logFile, 'utf8').slice(-LOG_TAIL_CHARACTERS)
    return this.#options.secrets.reduce((text, secret) => text.replaceAll(secret, '***'), tail)
  }
}
