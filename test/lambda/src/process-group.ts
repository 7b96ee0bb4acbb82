// One process of an environment, leader of a group of its own, so that its children stop and go with it.

import { spawn } from 'node:child_process'
import type { Readable } from 'node:stream'

import { forget, guard } from './process-guard.ts'

export interface ProcessOptions {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  readonly onLine: (line: string) => void
  readonly onExit: (exit: ProcessExit) => void
}

export interface ProcessExit {
  /** As Lambda words it: `exit status 1`, `signal: killed`. */
  readonly description: string
  readonly succeeded: boolean
}

export class ProcessGroup {
  /** `undefined` if it could not be started; `onExit` tells why. */
  readonly pid: number | undefined
  readonly exited: Promise<void>
  #hasExited = false

  constructor(options: ProcessOptions) {
    const child = spawn(options.command, [...options.args], {
      cwd: options.cwd,
      env: { ...options.env },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.pid = child.pid
    if (this.pid !== undefined) guard(this.pid)
    forEachLine(child.stdout, options.onLine)
    forEachLine(child.stderr, options.onLine)
    this.exited = new Promise((resolve) => {
      const end = (exit: ProcessExit): void => {
        if (this.#hasExited) return
        // What it started may still be there, and the group's number is taken for as long as it is.
        this.signal('SIGKILL')
        this.#hasExited = true
        if (this.pid !== undefined) forget(this.pid)
        resolve()
        options.onExit(exit)
      }
      child.once('error', (error) => end({ description: error.message, succeeded: false }))
      child.once('exit', (code, signal) => end(describeExit(code, signal)))
    })
  }

  get hasExited(): boolean {
    return this.#hasExited
  }

  /** Sends a signal to the whole group. Does nothing once the process has exited. */
  signal(name: 'SIGSTOP' | 'SIGCONT' | 'SIGTERM' | 'SIGKILL'): void {
    if (this.#hasExited || this.pid === undefined) return
    try {
      process.kill(-this.pid, name)
    } catch {
      // It has just exited; the event is on its way.
    }
  }
}

const signalWords: Record<string, string> = {
  SIGKILL: 'killed',
  SIGTERM: 'terminated',
  SIGABRT: 'aborted',
  SIGSEGV: 'segmentation fault',
}

function describeExit(code: number | null, signal: string | null): ProcessExit {
  if (signal === null) return { description: `exit status ${code ?? 0}`, succeeded: code === 0 }
  return { description: `signal: ${signalWords[signal] ?? signal}`, succeeded: false }
}

function forEachLine(stream: Readable, onLine: (line: string) => void): void {
  let rest = ''
  stream.setEncoding('utf8')
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line)
  })
  stream.on('end', () => {
    if (rest !== '') onLine(rest)
  })
}
