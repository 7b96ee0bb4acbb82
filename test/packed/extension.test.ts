// The packages as users get them, in handlers of every form: sessions end with their environment, one registration a process.
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { eventually } from '../conformance/subject.ts'
import { type DatabaseServer, startMariadb, startMysql, startPostgres } from '../databases/src/index.ts'
import { deployFunction, type FunctionOptions, type LambdaFunction } from '../lambda/src/index.ts'
import { type Consumer, newConsumer } from './consumer.ts'
import { LAMBDA_22 } from './runtimes.ts'
import { packAll, type Tarballs } from './tarballs.ts'

const COUNT = 20

const POOL = `createPool({ ...JSON.parse(process.env.LOGIN), max: 1 })`
/** A governed pool of the engine that is asked for, and a handler that ends as it is told. */
const HANDLING = `
  const { engine, ...login } = JSON.parse(process.env.LOGIN)
  // One request at a time: one connection.
  const pool = engine === 'postgresql' ? pg.createPool(login) : mysql.createPool(login).promise()
  const long = engine === 'postgresql' ? 'select pg_sleep(30)' : 'select sleep(30)'
  async function handle({ end }) {
    await pool.query(end === 'timeout' ? long : 'select 1')
    if (end !== 'crash') return
    setImmediate(() => {
      throw new Error('nobody catches this')
    })
    await new Promise(() => {})
  }
`
const ESM = `
  import { lambdaExtension } from '@leasehold/core/lambda'
  import * as mysql from '@leasehold/mysql-adapter'
  import * as pg from '@leasehold/pg-adapter'
  await lambdaExtension()
  ${HANDLING}
  export const handler = handle
`
// Can't await it.
const COMMON = `
  const { lambdaExtension } = require('@leasehold/core/lambda')
  const mysql = require('@leasehold/mysql-adapter')
  const pg = require('@leasehold/pg-adapter')
  lambdaExtension()
  ${HANDLING}
  exports.handler = handle
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
let servers: Readonly<Record<string, DatabaseServer>> = {}

beforeAll(async () => {
  tarballs = await packAll()
  consumer = await newConsumer(tarballs)
  const limits = { maxConnections: 60 }
  const started = await Promise.all([startPostgres(limits), startMariadb(limits), startMysql(limits)])
  servers = Object.fromEntries(started.map((server) => [server.engine, server]))
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
  await Promise.all(Object.values(servers).map((server) => server.dispose()))
  await consumer?.[Symbol.asyncDispose]()
  await tarballs?.[Symbol.asyncDispose]()
})

function serverOf(engine: string): DatabaseServer {
  const server = servers[engine]
  if (server === undefined) throw new Error(`no such server: ${engine}`)
  return server
}

function deploy(file: string, engine = 'postgresql', options: Partial<FunctionOptions> = {}): LambdaFunction {
  const { host, port, database, login } = serverOf(engine)
  return deployFunction({
    name: 'packed',
    taskRoot: consumer.folder,
    handler: `${file}.handler`,
    environment: { LOGIN: JSON.stringify({ engine, host, port, database, ...login }) },
    timeoutMs: 4_000,
    ...options,
  })
}

/** One session in each environment; then all of them end, one way or another. */
async function sessionsLeft(
  lambda: LambdaFunction,
  perEnvironment: number,
  engine = 'postgresql',
): Promise<void> {
  const server = serverOf(engine)
  await lambda.scaleTo(COUNT)
  await Promise.all(Array.from({ length: COUNT }, () => lambda.invoke({}, { settle: true })))
  expect(await server.sessions()).toHaveLength(perEnvironment * COUNT)
  if (perEnvironment === 1) {
    const ends = Array.from({ length: COUNT / 2 }, (_, index) => (index % 2 === 0 ? 'timeout' : 'crash'))
    const asked = await Promise.all(ends.map((end) => lambda.invoke({ end }, { settle: true })))
    const types = { timeout: 'Sandbox.Timedout', crash: 'Runtime.ExitError' } as const
    expect(asked.map(({ error }) => error?.errorType)).toEqual(ends.map((end) => types[end]))
  }
  const frozen = lambda.environments.filter(({ state }) => state === 'frozen')
  const reclaimed = await Promise.all(frozen.map((environment) => environment.reclaim()))
  expect(reclaimed.length).toBeGreaterThanOrEqual(COUNT / 2)
  expect(reclaimed.filter(({ killed }) => killed)).toEqual([])
  await eventually('no session left', async () => (await server.sessions()).length === 0, 5_000)
}

describe('a handler in which the extension is registered, in 20 environments that are reclaimed, time out or crash', () => {
  it.each([
    ['module', 'postgresql'],
    ['common', 'postgresql'],
    ['bundled-module', 'postgresql'],
    ['bundled-common', 'postgresql'],
    ['common', 'mariadb'],
    ['bundled-module', 'mysql'],
  ])('leaves no session: %s, %s', async (file, engine) => {
    await using lambda = deploy(file, engine)
    await sessionsLeft(lambda, 1, engine)
  })

  it("leaves no session under Lambda's Node 22 in CommonJS", async () => {
    const { program, flags } = LAMBDA_22
    await using lambda = deploy('common', 'postgresql', { nodePath: program, nodeArgs: flags })
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
