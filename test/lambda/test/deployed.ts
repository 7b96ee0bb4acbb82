// Deploys the test functions and disposes of them when the test is over.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { afterEach, vi } from 'vitest'

import { deployFunction, type FunctionOptions, type LambdaFunction, type RuntimeKind } from '../src/index.ts'

const taskRoot: string = fileURLToPath(new URL('functions', import.meta.url))
export const witness: string = fileURLToPath(new URL('extensions/witness.mjs', import.meta.url))

const deployed: LambdaFunction[] = []

afterEach(async () => {
  await Promise.all(deployed.splice(0).map((lambda) => lambda.dispose()))
})

export function deploy(handler: string, options: Partial<FunctionOptions> = {}): LambdaFunction {
  const lambda = deployFunction({ name: 'tested', taskRoot, handler, ...options })
  deployed.push(lambda)
  return lambda
}

/** Whether AWS's own runtime client is built on this machine: its tests are skipped, in sight, if not. */
export const hasAwsRuntime: boolean =
  deployFunction({ name: 'probe', taskRoot, handler: 'plain.echo' }).runtime === 'aws'

export const runtimes: readonly RuntimeKind[] = ['aws', 'stand-in']

/** The state letter the kernel shows: T is stopped; `undefined` if there is no such process any more. */
export function kernelState(pid: number | undefined): string | undefined {
  try {
    const state = /^State:\s+(\w)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return state === 'Z' || state === 'X' ? undefined : state
  } catch {
    return undefined
  }
}

/** Waits for a condition, ten seconds at most. */
export async function until(condition: () => boolean): Promise<void> {
  await vi.waitUntil(condition, { timeout: 10_000, interval: 2 })
}

/** Payloads are `unknown`; tests know better and compare them anyway. */
export function fields(payload: unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(payload ?? {}))
}
