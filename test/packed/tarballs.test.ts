import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import {
  EXTRAS,
  type Manifest,
  manifestOf,
  packAll,
  PACKAGES,
  type Tarball,
  type Tarballs,
} from './tarballs.ts'
import { runTool, succeed } from './workspace.ts'

let tarballs: Tarballs

beforeAll(async () => {
  tarballs = await packAll()
})

afterAll(() => tarballs?.[Symbol.asyncDispose]())

describe.each(PACKAGES)('the tarball of %s', (folder) => {
  const tarball = (): Tarball => {
    const found = tarballs.all.find(({ name }) => name === manifestOf(folder).name)
    if (found === undefined) throw new Error(`${folder} was not packed`)
    return found
  }

  it('holds what is built, a README and a licence, and nothing else', () => {
    const unbuilt = tarball().contents.filter((path) => !/^dist\/.*\.(?:c?js|d\.c?ts)$/u.test(path))
    const extras = EXTRAS[folder] ?? []
    expect(unbuilt).toEqual([...extras, 'LICENSE', 'README.md', 'package.json'].toSorted())
  })

  it('offers what the workspace offers, less the sources', async () => {
    const source = manifestOf(folder)
    const text = await succeed('tar', ['-xzOf', tarball().file, 'package/package.json'], {
      cwd: tarballs.folder,
    })
    const published = JSON.parse(text) as Manifest
    expect(text).not.toMatch(/src\/|workspace:/u)
    const offered = Object.entries(source.exports).map(([path, target]) => {
      if (typeof target === 'string') return [path, target]
      const { '@leasehold/source': _, ...conditions } = target
      return [path, conditions]
    })
    expect(published.exports).toEqual(Object.fromEntries(offered))

    // What is in the workspace comes as the version that is packed beside it.
    const { version } = manifestOf('core')
    const needed = Object.entries(source.dependencies ?? {}).map(([name, range]) => [
      name,
      range === 'workspace:*' ? version : range,
    ])
    expect(published.dependencies).toEqual(Object.fromEntries(needed))
  })

  it('has a declaration file of its own for ESM and for CommonJS', () => {
    const { contents } = tarball()
    const entries = contents.filter((path) => path.endsWith('index.js'))
    expect(entries).not.toEqual([])
    for (const entry of entries) {
      const base = entry.replace(/\.js$/u, '')
      expect(contents).toEqual(
        expect.arrayContaining([`${base}.js`, `${base}.cjs`, `${base}.d.ts`, `${base}.d.cts`]),
      )
    }
  })

  it('passes publint with warnings counted as errors', async () => {
    const outcome = await runTool('publint', [tarball().file, '--strict'], tarballs.folder)
    expect(outcome, outcome.stdout + outcome.stderr).toMatchObject({ exitCode: 0 })
  })

  it('has types that are right for ESM and for CommonJS', async () => {
    const args = [tarball().file, '--profile', 'node16', '--no-emoji']
    const outcome = await runTool('@arethetypeswrong/cli', args, tarballs.folder)
    expect(outcome, outcome.stdout + outcome.stderr).toMatchObject({ exitCode: 0 })
  })
})
