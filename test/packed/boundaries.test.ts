/** What the packages may import is a linter's rule; this proves that the rule bites. */

import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { run, WORKSPACE } from './workspace.ts'

const CORE = 'packages/core/src/governor.ts'
const POLICY = 'packages/core/src/policy.ts'
const OPTIONS = 'packages/core/src/options/resolve.ts'
const SECRET = 'packages/core/src/aws/secret.ts'
const SENDER = 'packages/core/src/aws/put-metric-data.ts'
const SIGNER = 'packages/core/src/aws/token-signer.ts'
const PRESIGN = 'packages/core/src/aws/presign.ts'
const PG = 'packages/pg-adapter/src/driver.ts'
const MYSQL = 'packages/mysql-adapter/src/driver.ts'

const imports = (specifier: string): string => `export * from '${specifier}'`

const FORBIDDEN: [file: string, line: string][] = [
  [CORE, imports('pg')],
  [CORE, imports('mysql2/promise')],
  [CORE, "export type { SecretsManager } from '@aws-sdk/client-secrets-manager'"],
  [CORE, imports('@leasehold/pg-adapter')],
  [CORE, imports('../../pg-adapter/src/index.ts')],
  [CORE, imports('node:timers/promises')],
  [CORE, 'export const now = Date.now()'],
  [CORE, 'export const now = performance.now()'],
  [CORE, 'export const chance = Math.random()'],
  [CORE, 'export const { env } = process'],
  [CORE, 'export const since = process.hrtime'],
  [CORE, 'setTimeout(() => {}, 1)'],
  [CORE, 'globalThis.setInterval(() => {}, 1)'],
  [CORE, 'setImmediate(() => {})'],
  [CORE, 'export const soon = AbortSignal.timeout(1)'],
  [CORE, 'export default 1'],
  [CORE, "console.log('here')"],
  [POLICY, imports('node:events')],
  [POLICY, imports('./governor.ts')],
  [POLICY, imports('../policy/open.ts')],
  [OPTIONS, imports('node:fs')],
  [OPTIONS, imports('../env.ts')],
  [CORE, imports('lru-cache')],
  ['packages/core/src/aws/cloudwatch.ts', imports('@aws-sdk/client-cloudwatch')],
  [SECRET, imports('@aws-sdk/rds-signer')],
  [SECRET, imports('node:crypto')],
  [SECRET, 'export const now = Date.now()'],
  [SIGNER, imports('@smithy/signature-v4')],
  [SIGNER, imports('node:crypto')],
  [PRESIGN, imports('@smithy/signature-v4')],
  [PG, imports('mysql2')],
  [PG, imports('pg-pool')],
  [PG, imports('@leasehold/core/testing')],
  [PG, imports('../../core/src/index.ts')],
  [PG, 'export const now = Date.now()'],
  [MYSQL, imports('pg')],
  [MYSQL, imports('@aws-sdk/rds-signer')],
  [MYSQL, imports('node:timers')],
]

const ALLOWED: [file: string, line: string][] = [
  [CORE, imports('./policy.ts')],
  [CORE, imports('node:diagnostics_channel')],
  [CORE, imports('node:fs/promises')],
  ['packages/core/src/clock.ts', 'export const now = Date.now()'],
  ['packages/core/src/random.ts', 'export const chance = Math.random()'],
  ['packages/core/src/env.ts', 'export const systemEnv = process.env'],
  [POLICY, imports('./census.ts')],
  [OPTIONS, imports('../errors.ts')],
  [SECRET, imports('lru-cache')],
  [SENDER, "export const sdk = (): Promise<unknown> => import('@aws-sdk/client-cloudwatch')"],
  [SIGNER, "export const sdk = (): Promise<unknown> => import('@aws-sdk/rds-signer')"],
  [PRESIGN, imports('node:crypto')],
  [PG, imports('pg')],
  [PG, imports('@leasehold/core')],
  [MYSQL, imports('mysql2')],
  [MYSQL, imports('node:net')],
]

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'leasehold-boundaries-'))
  await copyFile(join(WORKSPACE, '.oxlintrc.json'), join(folder, '.oxlintrc.json'))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

async function lint(file: string, line: string): Promise<number> {
  await mkdir(dirname(join(folder, file)), { recursive: true })
  await writeFile(join(folder, file), `${line}\n`)
  const linter = join(WORKSPACE, 'node_modules/oxlint/bin/oxlint')
  const { exitCode } = await run(process.execPath, [linter, '--deny-warnings', file], { cwd: folder })
  return exitCode
}

describe('the linter', () => {
  it.each(FORBIDDEN)('refuses in %s: %s', async (file, line) => {
    expect(await lint(file, line)).toBe(1)
  })

  it.each(ALLOWED)('accepts in %s: %s', async (file, line) => {
    expect(await lint(file, line)).toBe(0)
  })
})
