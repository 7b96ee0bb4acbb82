/** The packages as npm would get them. */

import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { ensureBuilt, pnpm, WORKSPACE } from './workspace.ts'

export const PACKAGES = ['core', 'pg-adapter', 'mysql-adapter', 'cli', 'cdk'] as const

/** What a package has that is neither built nor the same in all of them. */
export const EXTRAS: Readonly<Partial<Record<string, readonly string[]>>> = {
  cdk: ['cloudformation/monitoring.template.json'],
}

export interface Manifest {
  readonly name: string
  readonly version: string
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, unknown>>>>
  readonly bin?: Readonly<Record<string, string>>
  readonly publishConfig: { readonly exports: Readonly<Record<string, unknown>> }
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

export function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(WORKSPACE, 'packages', folder, 'package.json'), 'utf8')) as Manifest
}

/** Every specifier that a user may import. */
export const ENTRIES: readonly string[] = PACKAGES.flatMap((folder) => {
  const { name, publishConfig } = manifestOf(folder)
  const paths = Object.keys(publishConfig.exports).filter((path) => path !== './package.json')
  return paths.map((path) => name + path.slice(1))
})

export interface Tarball {
  readonly name: string
  /** The `.tgz` file. */
  readonly file: string
  /** Paths in the package, sorted. */
  readonly contents: readonly string[]
}

export interface Tarballs extends AsyncDisposable {
  readonly folder: string
  readonly all: readonly Tarball[]
}

interface PackReport {
  readonly name: string
  readonly filename: string
  readonly files: readonly { readonly path: string }[]
}

export async function packAll(): Promise<Tarballs> {
  await ensureBuilt()
  const folder = await mkdtemp(join(tmpdir(), 'leasehold-packed-'))
  const all = await Promise.all(
    PACKAGES.map(async (name) => {
      const args = ['pack', '--json', '--pack-destination', folder]
      const report = JSON.parse(await pnpm(args, join(WORKSPACE, 'packages', name))) as PackReport
      return {
        name: report.name,
        file: report.filename,
        contents: report.files.map(({ path }) => path).toSorted(),
      }
    }),
  )
  return { folder, all, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) }
}
