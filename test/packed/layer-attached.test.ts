// The example of layer/template.yaml, which knows nothing of Leasehold, with the layer as the template attaches it.

import { cp } from 'node:fs/promises'
import { join } from 'node:path'

import { afterAll, beforeAll, expect, it } from 'vitest'

import { eventually } from '../conformance/subject.ts'
import type { DatabaseServer } from '../databases/src/index.ts'
import { deployFunction, type LambdaFunction } from '../lambda/src/index.ts'
import { describeAtOpt } from './at-opt.ts'
import { enginesHere, HOST, type RdsHere, startRds, SURROUNDINGS, USER } from './rds-here.ts'
import { LAMBDA_22, RUNTIMES } from './runtimes.ts'
import { unpackLayer, type UnpackedLayer } from './unpacked-layer.ts'
import { WORKSPACE } from './workspace.ts'

const COUNT = 5
const engines = enginesHere(['postgresql'])
const runtimes = RUNTIMES.filter(({ runtime }) => runtime === 'Node 24' || runtime === LAMBDA_22.runtime)

let layer: UnpackedLayer
let rds: RdsHere
let server: DatabaseServer | undefined
let task: string
let environment: Record<string, string>

beforeAll(async () => {
  layer = await unpackLayer()
  const surroundings = await layer.folder('around', { 'surroundings.cjs': SURROUNDINGS })
  // Away from the workspace, so that the driver is the layer's.
  task = await layer.folder('task')
  await cp(join(WORKSPACE, 'layer/example'), task, { recursive: true })
  rds = await startRds(engines)
  server = rds.servers.get('postgresql')
  environment = {
    CA: rds.ca,
    NODE_OPTIONS: `--require ${join(surroundings, 'surroundings.cjs')}`,
    DB_HOST: HOST,
    DB_PORT: String(server?.port),
    DB_NAME: server?.database ?? '',
    DB_USER: USER,
  }
})
afterAll(async () => {
  await rds?.[Symbol.asyncDispose]()
  await layer?.[Symbol.asyncDispose]()
})

function deploy({ program, flags } = LAMBDA_22, attached: Record<string, string> = {}): LambdaFunction {
  return deployFunction({
    name: 'orders',
    taskRoot: task,
    handler: 'index.handler',
    opt: layer.opt,
    nodePath: program,
    nodeArgs: flags,
    environment: { ...environment, ...attached },
    timeoutMs: 20_000,
  })
}

describeAtOpt('the example', () => {
  it.skipIf(engines.length === 0).each(runtimes)(
    'logs in by token, and leaves no session behind, with the layer attached under $runtime',
    async (runtime) => {
      const attached = { AWS_LAMBDA_EXEC_WRAPPER: '/opt/leasehold', LEASEHOLD_IAM: 'rds' }
      await using lambda = deploy(runtime, attached)
      await lambda.scaleTo(COUNT)
      const answers = await Promise.all(
        Array.from({ length: COUNT }, () => lambda.invoke({}, { settle: true })),
      )
      expect(answers.map(({ error }) => error)).toEqual(answers.map(() => undefined))
      expect(answers[0]?.payload).toEqual({ now: expect.any(String) })
      expect(await server?.sessions(USER)).toHaveLength(COUNT)
      await Promise.all(lambda.environments.map((each) => each.reclaim()))
      await eventually('no session is left', async () => (await server?.sessions(USER))?.length === 0, 2_000)
    },
  )

  it.skipIf(engines.length === 0)('has no way in without', async () => {
    await using lambda = deploy()
    const { error } = await lambda.invoke({})
    expect(error).toBeDefined()
  })
})
