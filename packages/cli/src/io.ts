/** What a command may touch of the process, as a port: so that tests can run commands and read what they print. */

import { type Clock, type Env, systemClock, systemEnv } from '@leasehold/core'

export interface Output {
  write(text: string): unknown
  /** A person looks on. */
  readonly isTTY?: boolean | undefined
  /** In characters, where it is a terminal. */
  readonly columns?: number | undefined
  readonly rows?: number | undefined
}

export interface Io {
  readonly stdin: NodeJS.ReadStream
  readonly stdout: Output
  readonly stderr: Output
  readonly env: Env
  readonly clock: Clock
  /** For what a command found out. What goes wrong is thrown instead. */
  exitCode: number
}

export function processIo(): Io {
  const { stdin, stdout, stderr } = process
  return { stdin, stdout, stderr, env: systemEnv, clock: systemClock, exitCode: 0 }
}
