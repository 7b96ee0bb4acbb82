/** Runs the workspace's own programs on folders outside it. */

import { execFile, type ExecFileException } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const WORKSPACE: string = fileURLToPath(new URL('../..', import.meta.url))

export interface Outcome {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/** Never rejects because of an exit code. */
export function run(
  program: string,
  args: readonly string[],
  options: { cwd: string; env?: Readonly<Record<string, string>> },
): Promise<Outcome> {
  const env = { ...process.env, ...options.env }
  return new Promise((resolve, reject) => {
    execFile(program, args, { cwd: options.cwd, env, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      const { code = 0 }: Partial<ExecFileException> = error ?? {}
      if (typeof code === 'number') resolve({ exitCode: code, stdout, stderr })
      else reject(error)
    })
  })
}

export async function succeed(...parameters: Parameters<typeof run>): Promise<string> {
  const { exitCode, stdout, stderr } = await run(...parameters)
  if (exitCode !== 0) throw new Error(`${parameters[0]} exited with ${exitCode}\n${stdout}\n${stderr}`)
  return stdout
}

/** Runs a JavaScript program of an installed package, under the Node that runs the tests. */
export function runTool(name: string, args: readonly string[], cwd: string): Promise<Outcome> {
  const folder = fileURLToPath(new URL(`node_modules/${name}/`, import.meta.url))
  const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { bin: string | object }
  const program = typeof bin === 'string' ? bin : String(Object.values(bin)[0])
  return run(process.execPath, [join(folder, program), ...args], { cwd })
}

/** pnpm is on the path of every script that pnpm runs; elsewhere npx brings it. */
export async function pnpm(args: readonly string[], cwd: string): Promise<string> {
  try {
    return await succeed('pnpm', args, { cwd })
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ENOENT') throw error
    return succeed('npx', ['-y', 'pnpm@12', ...args], { cwd })
  }
}

/** Builds the packages, unless what is built is newer than its sources. */
export async function ensureBuilt(): Promise<void> {
  const packages = readdirSync(join(WORKSPACE, 'packages')).map((name) => join(WORKSPACE, 'packages', name))
  const stale = packages.some((folder) => builtMs(folder) < changedMs(folder))
  if (stale) await pnpm(['build'], WORKSPACE)
}

function builtMs(folder: string): number {
  return statSync(join(folder, 'dist/index.d.cts'), { throwIfNoEntry: false })?.mtimeMs ?? 0
}

function changedMs(folder: string): number {
  const sources = readdirSync(join(folder, 'src'), { recursive: true, encoding: 'utf8' })
  const files = [
    'package.json',
    'tsdown.config.ts',
    '../../tsdown.base.ts',
    ...sources.map((name) => join('src', name)),
  ]
  return Math.max(...files.map((name) => statSync(join(folder, name)).mtimeMs))
}
