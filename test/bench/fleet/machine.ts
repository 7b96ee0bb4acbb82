// What the machine is, and the versions of what runs on it.
import { execFileSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { cpus, release, totalmem } from 'node:os'

import type { BenchFile } from './result.ts'

export function machine(): BenchFile['machine'] {
  return {
    cores: cpus().length,
    memoryBytes: totalmem(),
    node: process.version,
    kernel: release(),
    cpuModel: cpus()[0]?.model.trim() ?? 'unknown',
  }
}

const require = createRequire(import.meta.url)
const POOLER = 'pgbouncer'
const PACKAGES = ['pg', 'mysql2', 'serverless-postgres', 'serverless-mysql'] as const

/** Of the packages, and of PgBouncer if it is here. */
export function versions(): Record<string, string> {
  const versionOf = (name: string): string => {
    const { version } = require(`${name}/package.json`) as { readonly version: string }
    return version
  }
  return { ...Object.fromEntries(PACKAGES.map((name) => [name, versionOf(name)])), ...pgbouncerVersion() }
}

function pgbouncerVersion(): { PgBouncer?: string } {
  try {
    const said = execFileSync(POOLER, ['--version'], { encoding: 'utf8' })
    const [, version] = /PgBouncer (\S+)/.exec(said) ?? []
    return version === undefined ? {} : { PgBouncer: version }
  } catch {
    return {}
  }
}
