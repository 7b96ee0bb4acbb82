// What a reader needs to know about the machine to judge the numbers.
import { createRequire } from 'node:module'
import { arch, availableParallelism, cpus, totalmem } from 'node:os'

export interface Machine {
  readonly processor: string
  readonly coreCount: number
  readonly memoryGib: number
  /** `linux x64`. */
  readonly platform: string
  readonly node: string
  /** The bare drivers' versions by package. */
  readonly drivers: Readonly<Record<string, string>>
  /** `2026-11-21 08:30 UTC`. */
  readonly date: string
}

const require = createRequire(import.meta.url)

export function describeMachine(): Machine {
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown processor',
    coreCount: availableParallelism(),
    memoryGib: totalmem() / 2 ** 30,
    platform: `${process.platform} ${arch()}`,
    node: process.version,
    drivers: { pg: versionOf('pg'), mysql2: versionOf('mysql2') },
    date: `${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC`,
  }
}

function versionOf(name: string): string {
  const manifest: unknown = require(`${name}/package.json`)
  const hasVersion = typeof manifest === 'object' && manifest !== null && 'version' in manifest
  return hasVersion ? String(manifest.version) : 'of unknown version'
}
