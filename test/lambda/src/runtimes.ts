// Chooses what runs the handler: AWS's own runtime client where its native part loads, else the stand-in.

import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import type { RuntimeKind } from './api.ts'
import { DeploymentError } from './errors.ts'

export interface Runtime {
  readonly kind: RuntimeKind
  /** The file Node.js is started with. */
  readonly entry: string
  readonly nodeMajor: string
}

interface Probe {
  readonly nodeMajor: string
  /** Why AWS's client can't be used; `undefined` if it can. */
  readonly awsProblem: string | undefined
  readonly awsEntry: string | undefined
}

const probes = new Map<string, Probe>()
const standInEntry = fileURLToPath(new URL('stand-in-runtime.mjs', import.meta.url))

/** Throws a `DeploymentError` if `nodePath` does not run, or `wanted` is `aws` and its client does not load. */
export function chooseRuntime(wanted: 'auto' | RuntimeKind, nodePath: string): Runtime {
  const probe = probes.get(nodePath) ?? probeNode(nodePath)
  probes.set(nodePath, probe)
  const { nodeMajor, awsEntry, awsProblem } = probe
  if (wanted !== 'stand-in' && awsEntry !== undefined && awsProblem === undefined) {
    return { kind: 'aws', entry: awsEntry, nodeMajor }
  }
  if (wanted === 'aws') {
    throw new DeploymentError(`aws-lambda-ric can't be used: ${awsProblem ?? 'it is not installed'}`)
  }
  return { kind: 'stand-in', entry: standInEntry, nodeMajor }
}

/** In a process of its own: the native part reads `AWS_LAMBDA_RUNTIME_API` while loading, and aborts without. */
function probeNode(nodePath: string): Probe {
  const awsEntry = findAwsEntry()
  const nativePart = awsEntry === undefined ? '' : join(dirname(awsEntry), 'rapid-client.node')
  const script = `
    console.log(process.versions.node)
    if (process.argv[1]) require(process.argv[1])
    console.log('loaded')`
  const { stdout, stderr, error } = spawnSync(nodePath, ['-e', script, nativePart], {
    env: { AWS_LAMBDA_RUNTIME_API: '127.0.0.1:9' },
    encoding: 'utf8',
    timeout: 10_000,
  })
  const [version, loaded] = (stdout ?? '').split('\n')
  if (!version) {
    throw new DeploymentError(`${nodePath} does not run Node.js: ${error?.message ?? stderr}`)
  }
  const [nodeMajor = ''] = version.split('.')
  const problem = awsEntry === undefined ? 'it is not installed' : lastLine(stderr)
  return { nodeMajor, awsEntry, awsProblem: loaded === 'loaded' && awsEntry ? undefined : problem }
}

function findAwsEntry(): string | undefined {
  try {
    return createRequire(import.meta.url).resolve('aws-lambda-ric')
  } catch {
    return undefined
  }
}

/** Node prints the error's own line amid source lines and its stack. */
function lastLine(stderr: string): string {
  return /^.*Error: .*$/m.exec(stderr)?.[0] ?? (stderr.trim() || 'its native part does not load')
}
