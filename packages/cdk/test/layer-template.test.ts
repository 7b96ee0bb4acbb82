// layer/template.yaml, by CloudFormation's own resource types, and by the rules that CDK brings for what SAM makes of it.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { App, Stack } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import { CfnInclude } from 'aws-cdk-lib/cloudformation-include'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'

const TEMPLATE = fileURLToPath(new URL('../../../layer/template.yaml', import.meta.url))
const text = readFileSync(TEMPLATE, 'utf8')

/** SAM has them, and CDK's copy of SAM's types does not. */
const UNKNOWN_TO_CDK = ['CompatibleArchitectures']

interface Resource {
  readonly Type: string
  readonly Properties: Readonly<Record<string, unknown>>
}

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'leasehold-template-'))
  // What is wrong with a template is an error, and written down besides.
  vi.spyOn(process.stderr, 'write').mockReturnValue(true)
})
afterAll(() => {
  vi.restoreAllMocks()
  rmSync(folder, { recursive: true, force: true })
})

/** Its resources; throws where one of them is not as CloudFormation and SAM want it. */
function resourcesOf(template: string): Record<string, Resource> {
  const templateFile = join(folder, 'template.yaml')
  writeFileSync(templateFile, template)
  const context = { '@aws-cdk/core:validateAgainstDefaultRules': true }
  const stack = new Stack(new App({ context }), 'Shop')
  const include = new CfnInclude(stack, 'Template', { templateFile })
  const { Resources: resources } = Template.fromStack(stack).toJSON() as {
    Resources: Record<string, Resource>
  }
  for (const [id, { Properties: properties }] of Object.entries(resources)) {
    const known = include.getResource(id)
    for (const name of Object.keys(properties)) {
      // A member has a small first letter, if it is one.
      const member = name.charAt(0).toLowerCase() + name.slice(1)
      if (!(member in known) && !UNKNOWN_TO_CDK.includes(name)) throw new Error(`${id} has no ${name}`)
    }
  }
  return resources
}

describe("SAM's template", () => {
  it('publishes what the build writes, and attaches it to the example', () => {
    const { LeaseholdLayer: layer, ExampleFunction: example } = resourcesOf(text)
    expect(layer).toMatchObject({
      Type: 'AWS::Serverless::LayerVersion',
      Properties: {
        ContentUri: 'dist/leasehold-layer.zip',
        CompatibleRuntimes: ['nodejs22.x', 'nodejs24.x'],
        CompatibleArchitectures: ['x86_64', 'arm64'],
      },
    })
    expect(example).toMatchObject({
      Type: 'AWS::Serverless::Function',
      Properties: {
        Layers: [{ Ref: 'LeaseholdLayer' }],
        Environment: { Variables: { AWS_LAMBDA_EXEC_WRAPPER: '/opt/leasehold' } },
      },
    })
    const { CodeUri, Handler } = (example as Resource).Properties as { CodeUri: string; Handler: string }
    const [file] = Handler.split('.')
    expect(existsSync(join(dirname(TEMPLATE), CodeUri, `${file}.cjs`))).toBe(true)
  })

  it.each([
    ['a property of another name', 'LayerName:', 'LayreName:'],
    ['a text for a list', '[nodejs22.x, nodejs24.x]', 'nodejs22.x'],
    ['no property that SAM asks for', '      ContentUri: dist/leasehold-layer.zip\n', ''],
    ['a reference to nothing', '!Ref DatabaseHost', '!Ref DatabaseHots'],
    ['a type that is none', 'AWS::Serverless::LayerVersion', 'AWS::Serverless::LayreVersion'],
  ])('would not pass with %s', (_, is, was) => {
    expect(text).toContain(is)
    expect(() => resourcesOf(text.replace(is, was))).toThrow()
  })
})
