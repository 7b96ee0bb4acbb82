import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { buildLayer } from '@leasehold/layer'
import { unzipSync } from 'fflate'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { LAMBDA_22 } from './runtimes.ts'
import { ensureBuilt, succeed } from './workspace.ts'

const BUILD = fileURLToPath(import.meta.resolve('@leasehold/layer'))
const HASH = `
  import { createHash } from 'node:crypto'
  import { buildLayer } from ${JSON.stringify(BUILD)}
  console.log(createHash('sha256').update(buildLayer()).digest('hex'))
`
const PACKAGE = /^nodejs\/node_modules\/((?:@[^/]+\/)?[^/]+)\/package\.json$/u
const MAKES_A_POOL = `
  const pool = createPool({ host: 'localhost' })
  console.log(pool.leasehold.stats().opened)
  pool.end(() => {})
`

let folder: string
let paths: string[]

beforeAll(async () => {
  await ensureBuilt()
  folder = await mkdtemp(join(tmpdir(), 'leasehold-layer-'))
  const files = unzipSync(buildLayer())
  paths = Object.keys(files)
  for (const [path, bytes] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), bytes)
  }
})

afterAll(() => rm(folder, { recursive: true, force: true }))

describe('the layer', () => {
  it('is the same, byte for byte, in another process and another time zone', async () => {
    const program = ['--input-type=module', '--eval', HASH]
    const hashes = await Promise.all(
      ['UTC', 'Pacific/Auckland'].map((TZ) =>
        succeed(process.execPath, program, { cwd: folder, env: { TZ } }),
      ),
    )
    expect(hashes[0]).toMatch(/^[0-9a-f]{64}\n$/u)
    expect(hashes[1]).toBe(hashes[0])
  })

  it('holds the adapters, their drivers and what these need', () => {
    const packages = paths.flatMap((path) => PACKAGE.exec(path)?.[1] ?? [])
    expect(packages).toEqual(
      expect.arrayContaining(['@leasehold/core', '@leasehold/mysql-adapter', '@leasehold/pg-adapter']),
    )
    expect(packages).toEqual(expect.arrayContaining(['mysql2', 'iconv-lite', 'pg', 'pg-pool', 'split2']))
    expect(packages.filter((name) => /^@(?:aws-sdk|smithy|types)\//u.test(name))).toEqual([])
  })

  it('holds no types, maps, tests or documentation, but every licence', () => {
    const idle = paths.filter((path) => /\.(?:[cm]?ts|map|test\.js)$|\/(?:tests?|docs?)\//u.test(path))
    expect(idle).toEqual([])

    const packages = paths.filter((path) => PACKAGE.test(path)).map((path) => dirname(path))
    const licences = paths.filter((path) => /\/licen[cs]e[^/]*$/iu.test(path)).map((path) => dirname(path))
    const readmes = paths.filter((path) => path.endsWith('.md') && !/licen[cs]e/iu.test(path))
    const unlicensed = packages.filter((path) => !licences.includes(path))
    // These print it in the README and nowhere else.
    expect(readmes.map((path) => dirname(path))).toEqual(unlicensed)
  })

  it.each(['pg-adapter', 'mysql-adapter'])(
    'gives %s to a CommonJS function through NODE_PATH',
    async (name) => {
      const text = `const { createPool } = require('@leasehold/${name}')\n${MAKES_A_POOL}`
      const env = { NODE_PATH: join(folder, 'nodejs/node_modules') }
      const args = [...LAMBDA_22.flags, '--eval', text]
      expect(await succeed(LAMBDA_22.program, args, { cwd: tmpdir(), env })).toBe('0\n')
    },
  )

  it.each(['pg-adapter', 'mysql-adapter'])('gives %s to an ESM function by its path', async (name) => {
    const entry = join(folder, 'nodejs/node_modules/@leasehold', name, 'dist/index.js')
    const text = `import { createPool } from ${JSON.stringify(entry)}\n${MAKES_A_POOL}`
    const args = ['--input-type=module', '--eval', text]
    expect(await succeed(process.execPath, args, { cwd: tmpdir() })).toBe('0\n')
  })
})
