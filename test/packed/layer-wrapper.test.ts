// /opt/leasehold in front of AWS's runtime client: what it adds, what it leaves alone, and that the function runs anyway.

import { chmod, cp, symlink } from 'node:fs/promises'
import { join } from 'node:path'

import { afterAll, beforeAll, expect, it } from 'vitest'

import { deployFunction, type LambdaFunction } from '../lambda/src/index.ts'
import { describeAtOpt } from './at-opt.ts'
import { LAMBDA_22, RUNTIMES } from './runtimes.ts'
import { unpackLayer, type UnpackedLayer } from './unpacked-layer.ts'

const PRELOAD = 'nodejs/node_modules/@leasehold/attach/dist/preload.mjs'
const HANDLER = `
  const { execFileSync } = require('node:child_process')
  exports.handler = async () => ({
    preloads: globalThis.preloads ?? [],
    options: process.env.NODE_OPTIONS ?? '',
    arguments: process.execArgv,
    inChild: execFileSync(process.execPath, ['--print', '(globalThis.preloads ?? []).join()']).toString().trim(),
    other: process.env.OTHER,
  })
`
const preloadSaying = (name: string): string => `
  globalThis.preloads = [...(globalThis.preloads ?? []), '${name}']
`
const runtimes = RUNTIMES.filter(({ runtime }) => runtime === 'Node 24' || runtime === LAMBDA_22.runtime)

interface Seen {
  readonly preloads: readonly string[]
  readonly options: string
  readonly arguments: readonly string[]
  readonly inChild: string
  readonly other?: string
}

let layer: UnpackedLayer
let task: string
/** The wrapper, with a preload in the place of ours that only says it was there. */
let opt: string
let optWithout: string
const deployed: LambdaFunction[] = []

beforeAll(async () => {
  layer = await unpackLayer()
  task = await layer.folder('task', {
    'index.cjs': HANDLER,
    'other-wrapper': '#!/bin/sh\nexport OTHER=called NODE_OPTIONS="--import ${0%/*}/other.mjs"\nexec "$@"\n',
    'other.mjs': preloadSaying('other'),
    'caller-back': '#!/bin/sh\nexec "$AWS_LAMBDA_EXEC_WRAPPER" "$@"\n',
  })
  for (const name of ['other-wrapper', 'caller-back']) await chmod(join(task, name), 0o755)
  opt = await layer.folder('opt-saying', { [PRELOAD]: preloadSaying('ours') })
  optWithout = await layer.folder('opt-without')
  for (const folder of [opt, optWithout]) await cp(join(layer.opt, 'leasehold'), join(folder, 'leasehold'))
})
afterAll(async () => {
  for (const lambda of deployed) await lambda.dispose()
  await layer?.[Symbol.asyncDispose]()
})

async function invoke(
  environment: Record<string, string>,
  { folder = opt, nodePath = process.execPath, nodeArgs = [] as readonly string[] } = {},
): Promise<{ seen: Seen; log: string }> {
  const lambda = deployFunction({
    name: 'wrapped',
    taskRoot: task,
    handler: 'index.handler',
    opt: folder,
    nodePath,
    nodeArgs,
    environment: { AWS_LAMBDA_EXEC_WRAPPER: '/opt/leasehold', ...environment },
    timeoutMs: 20_000,
  })
  deployed.push(lambda)
  const { payload, error } = await lambda.invoke({}, { settle: true })
  if (error !== undefined) throw new Error(`${error.errorType}: ${error.errorMessage}`)
  return { seen: payload as Seen, log: lambda.environments[0]?.log.join('\n') ?? '' }
}

describeAtOpt('the wrapper', () => {
  it.each(runtimes)('loads the preload before the function under $runtime', async ({ program, flags }) => {
    const nodeArgs = [...flags, '--max-old-space-size=199']
    const { seen, log } = await invoke({}, { nodePath: program, nodeArgs })
    expect(seen.preloads).toEqual(['ours'])
    expect(seen.arguments).toEqual(['--import', `file:///opt/${PRELOAD}`, ...nodeArgs])
    expect(log).not.toContain('leasehold')
  })

  it('leaves the programs that the function starts alone', async () => {
    const { seen } = await invoke({})
    expect(seen).toMatchObject({ preloads: ['ours'], inChild: '', options: '' })
  })

  it('keeps what NODE_OPTIONS has', async () => {
    const { seen } = await invoke({ NODE_OPTIONS: `--import ${task}/other.mjs --no-warnings` })
    expect(seen.preloads).toEqual(['other', 'ours'])
    expect(seen.options).toBe(`--import ${task}/other.mjs --no-warnings`)
  })

  it('adds to NODE_OPTIONS where the command that it gets is not Node.js itself', async () => {
    const nodePath = join(task, 'runtime')
    await symlink(process.execPath, nodePath)
    const { seen } = await invoke({ NODE_OPTIONS: '--no-warnings' }, { nodePath })
    expect(seen.preloads).toEqual(['ours'])
    expect(seen.options).toBe(`--no-warnings --import=file:///opt/${PRELOAD}`)
  })

  it('calls the next wrapper, so that both are heard', async () => {
    const { seen } = await invoke({ LEASEHOLD_NEXT_WRAPPER: join(task, 'other-wrapper') })
    expect(seen).toMatchObject({ preloads: ['other', 'ours'], other: 'called' })
  })

  it('is not called for ever by a next one that calls it', async () => {
    const { seen } = await invoke({ LEASEHOLD_NEXT_WRAPPER: join(task, 'caller-back') })
    expect(seen.preloads).toEqual(['ours'])
  })

  it.each(['/no/such/wrapper', '/opt', '/opt/leasehold'])(
    'runs on where the next one is %s',
    async (next) => {
      const { seen, log } = await invoke({ LEASEHOLD_NEXT_WRAPPER: next })
      expect(seen.preloads).toEqual(['ours'])
      if (next !== '/opt/leasehold')
        expect(log).toContain(`LEASEHOLD_NEXT_WRAPPER: ${next} is not an executable`)
    },
  )

  it('starts the runtime as it is where the preload is missing, and says so', async () => {
    const { seen, log } = await invoke({ NODE_OPTIONS: '--no-warnings' }, { folder: optWithout })
    expect(seen).toMatchObject({ preloads: [], options: '--no-warnings' })
    expect(log).toContain(`leasehold: not attached: /opt/${PRELOAD} is not there`)
  })

  it.each(['AWS_Lambda_nodejs18.x', 'AWS_Lambda_nodejs20.x', 'AWS_Lambda_python3.13'])(
    'leaves %s alone, and says so',
    async (AWS_EXECUTION_ENV) => {
      const { seen, log } = await invoke({ AWS_EXECUTION_ENV })
      expect(seen.preloads).toEqual([])
      expect(log).toMatch(/leasehold: not attached: .*Node\.js/u)
    },
  )

  it.each(['', 'AWS_Lambda_Image'])(
    'attaches in an image of your own: AWS_EXECUTION_ENV is `%s`',
    async (where) => {
      const { seen } = await invoke({ AWS_EXECUTION_ENV: where })
      expect(seen.preloads).toEqual(['ours'])
    },
  )

  it('is not needed where NODE_OPTIONS names the preload', async () => {
    const lambda = deployFunction({
      name: 'unwrapped',
      taskRoot: task,
      handler: 'index.handler',
      opt,
      environment: { NODE_OPTIONS: `--import=file:///opt/${PRELOAD}` },
      timeoutMs: 20_000,
    })
    deployed.push(lambda)
    const { payload } = await lambda.invoke({}, { settle: true })
    expect(payload).toMatchObject({ preloads: ['ours'], inChild: 'ours' })
  })

  it('runs the function with the real preload though everything that it needs is missing', async () => {
    const folder = await layer.folder('opt-broken')
    for (const path of ['leasehold', PRELOAD]) await cp(join(layer.opt, path), join(folder, path))
    const { seen, log } = await invoke({}, { folder })
    expect(seen.preloads).toEqual([])
    expect(log).toMatch(/leasehold: .*runs as without/u)
  })
})
