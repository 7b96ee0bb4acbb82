// Deploys the function of Managed Instances: 8 worker threads that take up to 64 requests at once.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { deployFunction, type FunctionOptions, type LambdaFunction } from '@leasehold/lambda-emulator'
import type { DatabaseServer } from '@leasehold/test-databases'
import { build, type BuildOptions } from 'esbuild'

export const WORKERS = 8
export const REQUESTS = 64

export interface Managed {
  /** Options of the pool. */
  readonly pool?: object
  readonly variables?: Readonly<Record<string, string>>
  readonly lambda?: Partial<FunctionOptions>
}

export interface ManagedFunction extends AsyncDisposable {
  deploy(server: DatabaseServer, asked?: Managed): LambdaFunction
}

/** Bundled, as eight threads would take seconds to read the sources eight times. */
export async function bundleManaged(): Promise<ManagedFunction> {
  const taskRoot = await mkdtemp(join(tmpdir(), 'leasehold-managed-'))
  const common: BuildOptions = {
    bundle: true,
    platform: 'node',
    conditions: ['@leasehold/source'],
    external: ['pg-native'],
    absWorkingDir: fileURLToPath(new URL('..', import.meta.url)),
  }
  const preload = join(taskRoot, 'preload.cjs')
  await build({
    ...common,
    stdin: { contents: "import '@leasehold/core/lambda/preload'", resolveDir: import.meta.dirname },
    format: 'cjs',
    outfile: preload,
  })
  await build({
    ...common,
    entryPoints: ['frozen/functions/managed-handler.ts'],
    format: 'esm',
    outfile: join(taskRoot, 'index.mjs'),
    banner: {
      js: "import { createRequire as bundled } from 'node:module'; const require = bundled(import.meta.url);",
    },
  })
  const deploy = (server: DatabaseServer, { pool, variables, lambda }: Managed = {}): LambdaFunction => {
    const { engine, host, port, database, login } = server
    return deployFunction({
      name: 'managed',
      taskRoot,
      handler: 'index.handler',
      runtime: 'aws',
      environment: {
        FLEET_TARGET: JSON.stringify({ engine, host, port, database, ...login, ...pool }),
        AWS_LAMBDA_MAX_CONCURRENCY: String(REQUESTS),
        AWS_LAMBDA_NODEJS_WORKER_COUNT: String(WORKERS),
        NODE_OPTIONS: `--require=${preload}`,
        ...variables,
      },
      timeoutMs: 15_000,
      ...lambda,
    })
  }
  return { deploy, [Symbol.asyncDispose]: () => rm(taskRoot, { recursive: true, force: true }) }
}
