// Runs the program in this process, and keeps what it printed.
import { type Env, systemClock } from '@leasehold/core'

import { run } from '../src/program.ts'

export interface Printed {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

export async function leasehold(args: readonly string[], env: Env = {}): Promise<Printed> {
  let stdout = ''
  let stderr = ''
  const exitCode = await run(args, {
    stdin: process.stdin,
    stdout: { write: (text) => (stdout += text), columns: 100 },
    stderr: { write: (text) => (stderr += text), columns: 100 },
    env,
    clock: systemClock,
    exitCode: 0,
  })
  return { exitCode, stdout, stderr }
}
