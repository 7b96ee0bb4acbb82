// Runs a script in a Node process of its own, on the built packages: what a cold start would load and do.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** The numbers that `script` prints as one JSON array. It finds `input` in BENCH_INPUT, as JSON. */
export async function runFresh(script: string, input: unknown): Promise<readonly number[]> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
    cwd: import.meta.dirname,
    env: { ...process.env, NODE_OPTIONS: '', BENCH_INPUT: JSON.stringify(input) },
    timeout: 30_000,
  })
  return JSON.parse(stdout) as number[]
}
