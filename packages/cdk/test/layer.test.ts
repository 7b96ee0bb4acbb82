import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { App, Stack } from 'aws-cdk-lib'
import { Match, Template } from 'aws-cdk-lib/assertions'
import { Repository } from 'aws-cdk-lib/aws-ecr'
import {
  Code,
  DockerImageCode,
  DockerImageFunction,
  Function as LambdaFunction,
  type FunctionOptions,
  Runtime,
} from 'aws-cdk-lib/aws-lambda'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { LeaseholdLayer } from '../src/index.ts'

let folder: string
let zip: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'leasehold-cdk-'))
  zip = join(folder, 'leasehold-layer.zip')
  // CDK reads its bytes, not what is in it.
  writeFileSync(zip, 'a zip file')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Stage {
  readonly stack: Stack
  readonly layer: LeaseholdLayer
  readonly lambda: LambdaFunction
}

function stage(options: FunctionOptions = {}, runtime = Runtime.NODEJS_24_X): Stage {
  const stack = new Stack(new App(), 'Shop')
  const layer = new LeaseholdLayer(stack, 'Layer', { zip, layerVersionName: 'leasehold' })
  const code = Code.fromInline('exports.handler = async () => {}')
  const lambda = new LambdaFunction(stack, 'Orders', { code, handler: 'index.handler', runtime, ...options })
  return { stack, layer, lambda }
}

const variables = (of: Record<string, unknown>): object => ({ Environment: { Variables: of } })

describe('the layer', () => {
  it('is published from the zip, for both architectures and the runtimes that it is for', () => {
    Template.fromStack(stage().stack).hasResourceProperties('AWS::Lambda::LayerVersion', {
      Content: { S3Bucket: Match.anyValue(), S3Key: Match.stringLikeRegexp(String.raw`\.zip$`) },
      CompatibleRuntimes: ['nodejs22.x', 'nodejs24.x'],
      CompatibleArchitectures: ['x86_64', 'arm64'],
      LayerName: 'leasehold',
      LicenseInfo: 'MIT',
    })
  })

  it.each([Runtime.NODEJS_22_X, Runtime.NODEJS_24_X])(
    'is attached to a function of $name, whose variables stay',
    (runtime) => {
      const { stack, layer, lambda } = stage({ environment: { DB_HOST: 'db.example' } }, runtime)
      layer.attachTo(lambda, { environment: { LEASEHOLD_FLEET: 'till' } })
      Template.fromStack(stack).hasResourceProperties('AWS::Lambda::Function', {
        Layers: [{ Ref: Match.stringLikeRegexp('^LayerVersion') }],
        ...variables({
          AWS_LAMBDA_EXEC_WRAPPER: '/opt/leasehold',
          DB_HOST: 'db.example',
          LEASEHOLD_FLEET: 'till',
        }),
      })
    },
  )
})

describe('a function that has a wrapper', () => {
  const other = { environment: { AWS_LAMBDA_EXEC_WRAPPER: '/opt/otel-handler' } }

  it('is refused, with a word on how to have both', () => {
    const { layer, lambda } = stage(other)
    expect(() => layer.attachTo(lambda)).toThrow(
      'Shop/Orders has AWS_LAMBDA_EXEC_WRAPPER=/opt/otel-handler, and Lambda starts a function through one wrapper ' +
        "only: attachTo(function, { nextWrapper: '/opt/otel-handler' }) calls both",
    )
  })

  it('is given both where that is asked for', () => {
    const { stack, layer, lambda } = stage(other)
    layer.attachTo(lambda, { nextWrapper: '/opt/otel-handler' })
    Template.fromStack(stack).hasResourceProperties(
      'AWS::Lambda::Function',
      variables({
        AWS_LAMBDA_EXEC_WRAPPER: '/opt/leasehold',
        LEASEHOLD_NEXT_WRAPPER: '/opt/otel-handler',
      }),
    )
  })

  it('is refused by the synthesis where it gets one later', () => {
    const { stack, layer, lambda } = stage()
    layer.attachTo(lambda)
    lambda.addEnvironment('AWS_LAMBDA_EXEC_WRAPPER', '/opt/otel-handler')
    expect(() => Template.fromStack(stack)).toThrow(
      /Shop\/Orders has AWS_LAMBDA_EXEC_WRAPPER=\/opt\/otel-handler/,
    )
  })
})

describe('a function that can have no such layer', () => {
  it('because of its runtime is refused', () => {
    const { layer, lambda } = stage({}, Runtime.PYTHON_3_13)
    expect(() => layer.attachTo(lambda)).toThrow(/incompatible|compatible/)
  })

  it('because it is a container image is refused, with a word on what to do', () => {
    const { stack, layer } = stage()
    const code = DockerImageCode.fromEcr(Repository.fromRepositoryName(stack, 'Images', 'shop'))
    const image = new DockerImageFunction(stack, 'Image', { code })
    expect(() => layer.attachTo(image)).toThrow(/Shop\/Image is a container image .*copy the layer's files/)
  })
})
