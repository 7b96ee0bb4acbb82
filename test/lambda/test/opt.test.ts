// An unpacked layer in the place of /opt.

import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { optProblem } from '../src/index.ts'
import { deploy, fields, witness } from './deployed.ts'

const problem = optProblem()
let folder: string

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'leasehold-opt-')))
  const one = join(folder, 'layer/nodejs/node_modules/one')
  await mkdir(one, { recursive: true })
  await writeFile(join(one, 'index.js'), 'module.exports = __filename')
  await mkdir(join(folder, 'task'))
  const handler = "const one = require('one'); exports.handler = async () => ({ one, ...process.env })"
  await writeFile(join(folder, 'task/index.cjs'), handler)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe.skipIf(problem !== undefined)(`a layer${problem === undefined ? '' : `: ${problem}`}`, () => {
  const options = { timeoutMs: 10_000 }

  it("is at /opt for the function's processes, and its packages are found by name", async () => {
    const opt = join(folder, 'layer')
    const lambda = deploy('index.handler', { ...options, taskRoot: join(folder, 'task'), opt })
    const { payload, error } = await lambda.invoke({})
    expect(error).toBeUndefined()
    const { one, NODE_PATH, LAMBDA_RUNTIME_DIR: runtime } = fields(payload)
    expect(one).toBe('/opt/nodejs/node_modules/one/index.js')
    expect(NODE_PATH).toMatch(/^\/opt\/nodejs\/node\d\d\/node_modules:\/opt\/nodejs\/node_modules:/u)
    expect(NODE_PATH).toContain(`:${String(runtime)}/node_modules:${String(runtime)}:${join(folder, 'task')}`)
    expect(existsSync('/opt/nodejs/node_modules/one')).toBe(false)
  })

  it('has its executables in extensions started, and no other file', async () => {
    const opt = join(folder, 'with-extension')
    await mkdir(join(opt, 'extensions'), { recursive: true })
    await cp(witness, join(opt, 'extensions/witness.mjs'))
    await writeFile(join(opt, 'extensions/README'), 'not for running')
    const lambda = deploy('plain.echo', { ...options, opt })
    const { error } = await lambda.invoke({})
    expect(error).toBeUndefined()
    expect(lambda.environments[0]?.log.join('\n')).toMatch(/witness/u)
  })

  it('that is no folder is refused', () => {
    expect(() => deploy('plain.echo', { opt: '/no/such/folder' })).toThrow(/`opt` must be the absolute path/u)
  })
})
