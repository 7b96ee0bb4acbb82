// The packages as users get them, in handlers of every form: sessions end with their environment, one registration a process.
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { eventually } from '../conformance/subject.ts'
import { type DatabaseServer, startPostgres } from '../databases/src/index.ts'
import { deployFunction, type FunctionOptions, type LambdaFunction } from '../lambda/src/index.ts'
import { type Consumer, newConsumer } from './consumer.ts'
import { LAMBDA_22 } from './runtimes.ts'
import { packAll, type Tarballs } from './tarballs.ts'

const COUNT = 20

const POOL = `createPool({ ...JSON.parse(process.env.LOGIN), max: 1 })`
const ESM = `
  import { lambdaExtension } from '@leasehold/core/lambda'
  import { createPool } from '@leasehold/pg-adapter'
  await lambdaExtension()
  const pool = ${POOL}
  export const handler = () => pool.query('select 1')
`
// Can't await it.
const COMMON = `
  const { lambdaExtension } = require('@leasehold/core/lambda')
  const { createPool } = require('@leasehold/pg-adapter')
  lambdaExtension()
  const pool = ${POOL}
  exports.handler = async () => pool.query('select 1')
`
const BOTH = `
  import { createRequire } from 'node:module'
  import * as lambda from '@leasehold/core/lambda'
  import * as adapter from '@leasehold/pg-adapter'
  const require = createRequire(import.meta.url)
  const copies = [
    { ...lambda, ...adapter },
    { ...require('@leasehold/core/lambda'), ...require('@leasehold/pg-adapter') },
  ]
  const statuses = await Promise.all(copies.map(({ lambdaExtension }) => lambdaExtension()))
  const pools = copies.map(({ createPool }) => ${POOL})
  export const handler = async () => {
    for (const pool of pools) await pool.query('select 1')
    return { copies: new Set(copies.map(({ lambdaExtension }) => lambdaExtension)).size, statuses }
  }
`
const REQUIRE = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);"

let tarballs: Tarballs
let consumer: Consumer
let server: DatabaseServer

beforeAll(async () => {
  tarballs = await packAll()
  consumer = await newConsumer(tarballs)
  server = await startPostgres({ maxConnections: 60 })
  // A bundle of ES modules waits at the top level; one of CommonJS is made of what can't.
  await consumer.write({ 'module.mjs': ESM, 'common.cjs': COMMON, 'both.mjs': BOTH })
  const common = { absWorkingDir: consumer.folder, bundle: true, minify: true, platform: 'node' } as const
  const external = ['pg-native']
  await build({
    ...common,
    external,
    entryPoints: ['module.mjs'],
    outfile: 'bundled-module.mjs',
    format: 'esm',
    banner: { js: REQUIRE },
  })
  await build({
    ...common,
    external,
    entryPoints: ['common.cjs'],
    outfile: 'bundled-common.cjs',
    format: 'cjs',
  })
})
afterAll(async () => {
  await server?.dispose()
  await consumer?.[Symbol.asyncDispose]()
  await tarballs?.[Symbol.asyncDispose]()
})

function deploy(file: string, options: Partial<FunctionOptions> = {}): LambdaFunction {
  const { host, port, database, login } = server
  return deployFunction({
    name: 'packed',
    taskRoot: consumer.folder,
    handler: `${file}.handler`,
    environment: { LOGIN: JSON.stringify({ host, port, database, ...login }) },
    timeoutMs: 15_000,
    ...options,
  })
}

async function sessionsLeft(lambda: LambdaFunction, perEnvironment: number): Promise<void> {
  await lambda.scaleTo(COUNT)
  await Promise.all(Array.from({ length: COUNT }, () => lambda.invoke({}, { settle: true })))
  expect(await server.sessions()).toHaveLength(perEnvironment * COUNT)
  const reclaimed = await Promise.all(lambda.environments.map((environment) => environment.reclaim()))
  expect(reclaimed.filter(({ killed }) => killed)).toEqual([])
  await eventually('no session left', async () => (await server.sessions()).length === 0, 1_000)
}

describe('a handler in which the extension is registered, reclaimed in 20 environments', () => {
  it.each(['module', 'common', 'bundled-module', 'bundled-common'])('leaves no session: %s', async (file) => {
    await using lambda = deploy(file)
    await sessionsLeft(lambda, 1)
  })

  it("leaves no session under Lambda's Node 22 in CommonJS", async () => {
    const { program, flags } = LAMBDA_22
    await using lambda = deploy('common', { nodePath: program, nodeArgs: flags })
    await sessionsLeft(lambda, 1)
  })

  it('registers once and closes the pools of both copies, where two are loaded', async () => {
    await using lambda = deploy('both')
    const { payload } = await lambda.invoke({}, { settle: true })
    const registered = { registered: true, afterResponse: false, deadlines: true }
    expect(payload).toEqual({ copies: 2, statuses: [registered, registered] })
    await sessionsLeft(lambda, 2)
  })
})
