// The layer at /opt under functions of every form, in AWS's runtime client: drivers, tokens, secrets, metrics.

import { mkdir, realpath, symlink } from 'node:fs/promises'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { FakeSecretsManager } from '../aws/secrets-manager.ts'
import { deployFunction, type Invocation, type LambdaFunction } from '../lambda/src/index.ts'
import { describeAtOpt } from './at-opt.ts'
import { enginesHere, HOST, type RdsHere, REGION, startRds, SURROUNDINGS, USER } from './rds-here.ts'
import { LAMBDA_22, RUNTIMES } from './runtimes.ts'
import { unpackLayer, type UnpackedLayer } from './unpacked-layer.ts'
import { WORKSPACE } from './workspace.ts'

const BODY = `
  const place = (port) => ({
    host: '${HOST}', port: Number(port), user: '${USER}', database: process.env.DATABASE, credentials: iamToken(),
  })
  const asks = {
    postgresql: async () => {
      const pool = pg.createPool(place(process.env.PG_PORT))
      return (await pool.query('select current_user as who')).rows[0].who
    },
    mariadb: async () => {
      const pool = mysql.createPool(place(process.env.MYSQL_PORT)).promise()
      return (await pool.query('select user() as who'))[0][0].who.split('@')[0]
    },
    secret: async () => {
      const source = secret('shop', { endpoint: process.env.SECRETS, region: '${REGION}', limitMs: 5_000 })
      const target = { host: 'localhost', port: 5432, user: undefined }
      return (await source.get({ target, refusals: 0, signal: new AbortController().signal })).user
    },
    metric: async () => {
      const sink = cloudWatch({ namespace: 'Shop', endpoint: 'http://127.0.0.1:1', limitMs: 500 })
      sink.record('Pressure', 1, 1, { Fleet: 'a', Engine: 'b', Target: 'c' })
      return sink.flush(true)
    },
    profile: async () => {
      process.env.AWS_PROFILE = 'somebody'
      try {
        const target = { host: '${HOST}', port: 5432, user: '${USER}' }
        return await iamToken().get({ target, refusals: 0, signal: new AbortController().signal })
      } finally {
        delete process.env.AWS_PROFILE
      }
    },
  }
  const answer = async ({ ask }) => {
    const result = await asks[ask]().catch((error) => ({ code: error.code, message: error.message }))
    const loaded = Object.keys(require.cache).filter((file) => /@aws-sdk.(?:client-\\w|rds-signer)/.test(file))
    return { result, sdk: loaded[0], authorities }
  }
`
const NEEDS = ['pg-adapter', 'mysql-adapter', 'core/aws'] as const
const PATHS = ['pg-adapter/dist', 'mysql-adapter/dist', 'core/dist/aws'] as const
const imports = ([pg = '', mysql = '', aws = '']: readonly string[]): string => `
  import { createRequire } from 'node:module'
  import { authorities } from './surroundings.cjs'
  import * as pg from '${pg}'
  import * as mysql from '${mysql}'
  import { cloudWatch, iamToken, secret } from '${aws}'
  const require = createRequire(import.meta.url)
  ${BODY}
  export const handler = answer
`
const FUNCTION = {
  'surroundings.cjs': SURROUNDINGS,
  'common.cjs': `
    const { authorities } = require('./surroundings.cjs')
    const [pg, mysql, { cloudWatch, iamToken, secret }] =
      ${JSON.stringify(NEEDS)}.map((name) => require('@leasehold/' + name))
    ${BODY}
    exports.handler = answer
  `,
  'by-path.mjs': imports(PATHS.map((path) => `/opt/nodejs/node_modules/@leasehold/${path}/index.js`)),
  'by-name.mjs': imports(NEEDS.map((name) => `@leasehold/${name}`)),
  // What Lambda's own build of Node.js does, by its documentation, and no other: ES modules found by NODE_PATH.
  'like-lambda.mjs': `
    import { register } from 'node:module'
    register('data:text/javascript,' + encodeURIComponent(\`
      export async function resolve(specifier, context, next) {
        try {
          return await next(specifier, context)
        } catch (error) {
          for (const folder of process.env.NODE_PATH.split(':')) {
            if (!folder.endsWith('/node_modules')) continue
            const parentURL = 'file://' + folder.slice(0, -'node_modules'.length) + 'any.js'
            try {
              return await next(specifier, { ...context, parentURL })
            } catch {}
          }
          throw error
        }
      }
    \`))
  `,
}

const engines = enginesHere(['postgresql', 'mariadb'])
const runtimes = RUNTIMES.filter(({ runtime }) => runtime === 'Node 24' || runtime === LAMBDA_22.runtime)

let layer: UnpackedLayer
let task: string
let rds: RdsHere
let secrets: FakeSecretsManager
/** A runtime's folder as Lambda has it, with the SDK in it, and one as a container image may have it, without. */
let folders: Readonly<Record<'with' | 'without', string>>
let environment: Record<string, string>
const deployed: LambdaFunction[] = []

async function folderWithSdk(): Promise<string> {
  const folder = await layer.folder('runtime')
  await mkdir(join(folder, 'node_modules/@aws-sdk'), { recursive: true })
  for (const name of ['rds-signer', 'client-secrets-manager', 'client-cloudwatch']) {
    const installed = await realpath(join(WORKSPACE, 'packages/core/node_modules/@aws-sdk', name))
    await symlink(installed, join(folder, 'node_modules/@aws-sdk', name))
  }
  return folder
}

function deploy(index: number, file: string, sdk: 'with' | 'without', more: object = {}): LambdaFunction {
  const { program, flags } = runtimes[index] ?? LAMBDA_22
  const lambda = deployFunction({
    name: 'attached',
    taskRoot: task,
    handler: `${file}.handler`,
    opt: layer.opt,
    nodePath: program,
    nodeArgs: [...flags, ...(file === 'by-name' ? ['--import', `${task}/like-lambda.mjs`] : [])],
    environment: { ...environment, AWS_REGION: REGION, LAMBDA_RUNTIME_DIR: folders[sdk], ...more },
    timeoutMs: 30_000,
  })
  deployed.push(lambda)
  return lambda
}

/** One environment answers them all, one after the other. */
async function answersOf(lambda: LambdaFunction, asks: readonly string[]): Promise<unknown[]> {
  const answers: unknown[] = []
  for (const ask of asks) {
    const { payload, error }: Invocation = await lambda.invoke({ ask }, { settle: true })
    if (error !== undefined) throw new Error(`${ask}: ${error.errorType}: ${error.errorMessage}`)
    answers.push(payload)
  }
  return answers
}

beforeAll(async () => {
  layer = await unpackLayer()
  task = await layer.folder('task', FUNCTION)
  folders = { with: await folderWithSdk(), without: await layer.folder('bare-runtime') }
  secrets = await FakeSecretsManager.start()
  secrets.put('shop', JSON.stringify({ username: 'from-the-secret', password: 'of no use' }))
  rds = await startRds(engines)
  const { postgresql, mariadb } = Object.fromEntries(rds.servers)
  environment = {
    CA: rds.ca,
    SECRETS: secrets.endpoint,
    DATABASE: (postgresql ?? mariadb)?.database ?? '',
    PG_PORT: String(postgresql?.port),
    MYSQL_PORT: String(mariadb?.port),
  }
})
afterAll(async () => {
  for (const lambda of deployed) await lambda.dispose()
  await rds?.[Symbol.asyncDispose]()
  await secrets?.stop()
  await layer?.[Symbol.asyncDispose]()
})

describeAtOpt('a function with the layer at /opt', () => {
  describe.concurrent.each(runtimes.map(({ runtime }, index) => ({ runtime, index })))(
    'under $runtime',
    ({ index }) => {
      describe.each(['common', 'by-path', 'by-name'])('%s', (file) => {
        it("signs without the SDK, and says what else needs the SDK's clients", async () => {
          const lambda = deploy(index, file, 'without')
          const asks = ['secret', 'metric', 'profile', ...engines]
          const [secret, metric, profile, ...logins] = await answersOf(lambda, asks)
          const needs = (name: string): unknown =>
            expect.stringMatching(new RegExp(`cannot find .@aws-sdk/${name}.*add it to your dependencies`))
          const fails = (name: string): object => ({
            result: { code: 'CREDENTIALS_INVALID', message: needs(name) },
          })
          expect(secret).toMatchObject(fails('client-secrets-manager'))
          expect(metric).toMatchObject({ result: needs('client-cloudwatch') })
          // To find other credentials than the environment's takes the SDK.
          expect(profile).toMatchObject(fails('rds-signer'))
          expect(logins).toEqual(engines.map(() => ({ result: USER, authorities: expect.any(Number) })))
          // The layer's bundle of RDS's is the one that let these in.
          expect((secret as { authorities: number }).authorities).toBeGreaterThan(50)
        })

        it("uses the runtime's SDK, found as Lambda has it found", async () => {
          const lambda = deploy(index, file, 'with')
          const answers = await answersOf(lambda, [...engines, 'secret'])
          const signed = { result: USER, sdk: expect.stringContaining('/rds-signer') }
          expect(answers).toMatchObject([...engines.map(() => signed), { result: 'from-the-secret' }])
        })
      })

      it('finds the SDK by NODE_PATH alone', async () => {
        const NODE_PATH = `/opt/nodejs/node_modules:${folders.with}/node_modules`
        const lambda = deploy(index, 'by-path', 'without', { NODE_PATH })
        expect(await answersOf(lambda, ['secret'])).toMatchObject([{ result: 'from-the-secret' }])
      })
    },
  )
})
