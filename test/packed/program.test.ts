// The program as npm installs it: from its tarball, with the simulator inside.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { type Consumer, newConsumer } from './consumer.ts'
import { RUNTIMES } from './runtimes.ts'
import { manifestOf, packAll, type Tarballs } from './tarballs.ts'
import { run, succeed } from './workspace.ts'

let tarballs: Tarballs
let consumer: Consumer
const folder = (): string => join(consumer.folder, 'node_modules/leasehold')

beforeAll(async () => {
  tarballs = await packAll()
  consumer = await newConsumer(tarballs)
})

afterAll(async () => {
  await consumer?.[Symbol.asyncDispose]()
  await tarballs?.[Symbol.asyncDispose]()
})

describe('the packed program', () => {
  it('is what the manifest names, and a person may run it', async () => {
    const { leasehold = '' } = manifestOf('cli').bin ?? {}
    expect(await readFile(join(folder(), leasehold), 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/u)
  })

  it('imports nothing that is not its dependency', async () => {
    const { dependencies = {} } = manifestOf('cli')
    for (const file of ['main.js', 'index.js', 'index.cjs']) {
      const text = await readFile(join(folder(), 'dist', file), 'utf8')
      const specifiers = text.matchAll(
        /(?:^import [^"'\n]*|\brequire\()["'](?<name>[^"'.\n]+[^"'\n]*)["']/gmu,
      )
      const foreign = [...specifiers]
        .map(({ groups }) => groups?.['name'] ?? '')
        .filter((name) => !name.startsWith('node:'))
      expect(foreign, file).not.toEqual([])
      for (const name of foreign) {
        const known = Object.keys(dependencies).some((each) => name === each || name.startsWith(`${each}/`))
        expect(known, `${name} in ${file}`).toBe(true)
      }
    }
  })
})

describe.each(RUNTIMES)('the packed program under $runtime', ({ program, flags }) => {
  const leasehold = (...args: string[]): ReturnType<typeof run> =>
    run(program, [...flags, join(folder(), 'dist/main.js'), ...args], { cwd: consumer.folder })

  it('tells its version, and what is wrong with a command line', async () => {
    expect((await leasehold('--version')).stdout).toBe(`${manifestOf('cli').version}\n`)
    expect(await leasehold('paln')).toMatchObject({ exitCode: 2, stdout: '' })
  })

  it('plans', async () => {
    const args = ['--max-connections', '29', '--rate', '50', '--work-ms', '20', '--json']
    const { exitCode, stdout, stderr } = await leasehold('plan', ...args)
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(JSON.parse(stdout)).toMatchObject({ holds: true, slots: { functionsCount: 23 } })
  })

  it('gives the planner to require', async () => {
    const script =
      "require('leasehold').plan({ maxConnections: 29, functions: [{ ratePerS: 50, workMs: 20 }] }).then(({ holds }) => console.log(holds))"
    expect(await succeed(program, [...flags, '-e', script], { cwd: consumer.folder })).toBe('true\n')
  })
})
