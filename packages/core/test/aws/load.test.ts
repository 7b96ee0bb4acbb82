import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { elsewhere, elsewhereOrFail } from '../../src/aws/load.ts'

const NAME = '@leasehold-test/sdk'
const MISSING = Object.assign(new Error('not next to the importing file'), { code: 'ERR_MODULE_NOT_FOUND' })

let folder: string
const place = (name: string, text: string): string => {
  const target = join(folder, name, 'node_modules', NAME)
  mkdirSync(target, { recursive: true })
  writeFileSync(join(target, 'index.js'), text)
  return join(folder, name)
}
const find = (env: Record<string, string>, cause: unknown = MISSING): unknown => elsewhere(NAME, env)(cause)

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'leasehold-load-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe("an SDK that is not next to this package's files", () => {
  it("is the function's own before it is the runtime's", () => {
    const own = place('task', "module.exports = 'own'")
    const runtime = place('runtime', "module.exports = 'of the runtime'")
    expect(find({ LAMBDA_TASK_ROOT: own, LAMBDA_RUNTIME_DIR: runtime })).toBe('own')
    expect(find({ LAMBDA_TASK_ROOT: folder, LAMBDA_RUNTIME_DIR: runtime })).toBe('of the runtime')
  })

  it('is undefined where there is none, or an error that says what to do', () => {
    expect(find({})).toBeUndefined()
    expect(find({ LAMBDA_TASK_ROOT: '', LAMBDA_RUNTIME_DIR: folder })).toBeUndefined()
    expect(() => elsewhereOrFail(NAME, {})(MISSING)).toThrow(
      expect.objectContaining({
        code: 'CREDENTIALS_INVALID',
        message: expect.stringContaining(`cannot find \`${NAME}\``),
        cause: MISSING,
      }),
    )
  })

  it('that is there and broken is not passed over in silence', () => {
    const cause = new Error('half a package')
    expect(() => find({}, cause)).toThrow(
      expect.objectContaining({
        code: 'CREDENTIALS_INVALID',
        cause,
        message: expect.stringMatching(/complete/),
      }),
    )
    const broken = place('broken', "throw new Error('half a package')")
    expect(() => find({ LAMBDA_TASK_ROOT: broken })).toThrow(/is there and does not load/)
  })
})
