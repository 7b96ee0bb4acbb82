// The sidecar as the layer's zip has it, at /opt, in the Nodes of Lambda's runtimes.

import { join } from 'node:path'

import { afterAll, beforeAll, expect, it } from 'vitest'

import { FakeSecretsManager } from '../aws/secrets-manager.ts'
import { deployFunction, type LambdaFunction } from '../lambda/src/index.ts'
import { freePort } from '../sidecar/opt.ts'
import { describeAtOpt } from './at-opt.ts'
import { LAMBDA_22, RUNTIMES } from './runtimes.ts'
import { unpackLayer, type UnpackedLayer } from './unpacked-layer.ts'
import { WORKSPACE } from './workspace.ts'

const HANDLER = `
  const { iamToken, secret } = require('@leasehold/core/aws')
  const target = { host: 'db.abc.eu-west-1.rds.amazonaws.com', port: 5432, user: 'app' }
  const request = { target, refusals: 0, signal: new AbortController().signal }
  exports.handler = async () => {
    const found = await secret('shop', { source: 'sidecar', endpoint: 'http://127.0.0.1:1' }).get(request)
    const token = await iamToken({ source: 'sidecar' }).get(request)
    return { password: found.password, token: token.password.slice(0, 41) }
  }
`
/** As Lambda's runtime has the SDK, in a folder of its own. */
const SDK = join(WORKSPACE, 'packages/core/node_modules')

let layer: UnpackedLayer
let manager: FakeSecretsManager
let taskRoot: string
beforeAll(async () => {
  layer = await unpackLayer()
  taskRoot = await layer.folder('task', { 'index.cjs': HANDLER })
  manager = await FakeSecretsManager.start()
  manager.put('shop', { username: 'app', password: 'p1' })
})
afterAll(async () => {
  await (manager as FakeSecretsManager | undefined)?.stop()
  await (layer as UnpackedLayer | undefined)?.[Symbol.asyncDispose]()
})

const deploy = async (runtime: (typeof RUNTIMES)[number], sidecar: string): Promise<LambdaFunction> =>
  deployFunction({
    name: 'shop',
    taskRoot,
    handler: 'index.handler',
    opt: layer.opt,
    nodePath: runtime.program,
    nodeArgs: runtime.flags,
    timeoutMs: 15_000,
    environment: {
      LEASEHOLD_SIDECAR: sidecar,
      LEASEHOLD_SIDECAR_SOCKET: join(taskRoot, `${runtime.runtime.length}.sock`),
      PARAMETERS_SECRETS_EXTENSION_HTTP_PORT: await freePort(),
      AWS_ENDPOINT_URL_SECRETS_MANAGER: manager.endpoint,
      NODE_PATH: `/opt/nodejs/node_modules:${SDK}`,
    },
  })

describeAtOpt("the layer's sidecar", () => {
  it.each(RUNTIMES)('serves a function under $runtime', async (runtime) => {
    await using lambda = await deploy(runtime, 'on')
    const { payload, error } = await lambda.invoke({}, { settle: true })
    expect(error).toBeUndefined()
    expect(payload).toEqual({ password: 'p1', token: 'db.abc.eu-west-1.rds.amazonaws.com:5432/?' })
    expect(lambda.environments[0]?.log).toEqual([])
    expect((await lambda.environments[0]?.reclaim())?.killed).toBe(false)
  })

  it('is not there where it was not asked for, and the function none the worse', async () => {
    await using lambda = await deploy(LAMBDA_22, 'off')
    const { error } = await lambda.invoke({}, { settle: true })
    // Nobody listens where this function would ask by itself.
    expect(error?.errorMessage).toContain('cannot get the secret')
    expect(lambda.environments[0]?.state).toBe('frozen')
  })
})
