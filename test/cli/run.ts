// Runs the program as a person would: as a process of its own, from the sources.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../packages/cli/src/main.ts', import.meta.url))

export interface Printed {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/** Never rejects. The environment is `env`, and what a process cannot do without. */
export function leasehold(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Printed> {
  const { PATH = '', HOME = '' } = process.env
  const all = ['--conditions=@leasehold/source', MAIN, ...args]
  return new Promise((resolve) => {
    execFile(process.execPath, all, { env: { PATH, HOME, ...env } }, (error, stdout, stderr) => {
      resolve({ exitCode: error === null ? 0 : Number(error.code), stdout, stderr })
    })
  })
}
