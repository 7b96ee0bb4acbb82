/** A project that has installed the tarballs, the drivers beside them. Nothing in it leads back to the sources. */

import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { manifestOf, type Tarballs } from './tarballs.ts'
import { succeed, WORKSPACE } from './workspace.ts'

const HERE = fileURLToPath(new URL('.', import.meta.url))

/** Linked from the workspace's lockfile, so that nothing is downloaded. */
const BESIDE = ['pg', 'mysql2', '@types/pg', '@types/node'] as const

/** What the tarballs depend on, besides one another and what is there already. AWS's packages are put there by a test. */
function needsOf(packageFolder: string): readonly string[] {
  const { dependencies = {}, peerDependencies = {} } = manifestOf(packageFolder)
  return Object.keys({ ...dependencies, ...peerDependencies }).filter(
    (name) => !BESIDE.some((there) => there === name) && !/^@(?:leasehold|aws-sdk)\//u.test(name),
  )
}

export interface Consumer extends AsyncDisposable {
  readonly folder: string
  /** Writes files, a path and a text each. */
  write(files: Readonly<Record<string, string>>): Promise<void>
}

export async function newConsumer(tarballs: Tarballs): Promise<Consumer> {
  // The real path, since a compiler and a loader name files by it.
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'leasehold-consumer-')))
  const modules = join(folder, 'node_modules')
  for (const { name, file } of tarballs.all) {
    const target = join(modules, name)
    await mkdir(target, { recursive: true })
    await succeed('tar', ['-xzf', file, '-C', target, '--strip-components=1'], { cwd: folder })
  }
  const link = async (name: string, from: string): Promise<void> => {
    const target = join(modules, name)
    await mkdir(dirname(target), { recursive: true })
    await symlink(await realpath(join(from, 'node_modules', name)), target)
  }
  for (const name of BESIDE) await link(name, HERE)
  for (const each of ['core', 'cli', 'cdk']) {
    for (const name of needsOf(each)) await link(name, join(WORKSPACE, 'packages', each))
  }
  const write = async (files: Readonly<Record<string, string>>): Promise<void> => {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, path)), { recursive: true })
      await writeFile(join(folder, path), text)
    }
  }
  await write({ 'package.json': '{ "private": true }\n' })
  return { folder, write, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) }
}
