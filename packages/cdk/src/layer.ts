/** The layer as a CDK construct: published once, and attached to functions whose code stays as it is. */

import { type RemovalPolicy, Stack } from 'aws-cdk-lib'
import {
  Architecture,
  type CfnFunction,
  Code,
  type Function as LambdaFunction,
  LayerVersion,
  Runtime,
  RuntimeFamily,
} from 'aws-cdk-lib/aws-lambda'
import { Construct } from 'constructs'

const SLOT = 'AWS_LAMBDA_EXEC_WRAPPER'
const WRAPPER = '/opt/leasehold'
/** As CDK knows them: it takes a runtime of the same name and other properties for another. */
const RUNTIMES = ['nodejs22.x', 'nodejs24.x'].map(
  (name) =>
    Runtime.ALL.find((known) => known.name === name) ??
    new Runtime(name, RuntimeFamily.NODEJS, { supportsInlineCode: true }),
)

export interface LayerProps {
  /** The path of `leasehold-layer.zip`. The same bytes make no new version. */
  readonly zip: string
  /** @defaultValue CloudFormation makes one */
  readonly layerVersionName?: string
  /** What becomes of a version that a newer one replaces, or of all with the stack. @defaultValue deleted */
  readonly removalPolicy?: RemovalPolicy
}

export interface AttachOptions {
  /**
   * The wrapper of another tool (`/opt/otel-handler`), called after ours: Lambda has one place, and that is ours then.
   * @defaultValue none; a function that has one of its own is refused
   */
  readonly nextWrapper?: string
  /** The settings of what is attached: `LEASEHOLD_…`. @defaultValue none: the function's own driver options hold */
  readonly environment?: Readonly<Record<string, string>>
}

/**
 * Publishes the layer. A function that imports the library from it needs no more than `addLayers(layer.layerVersion)`;
 * `attachTo` is for one whose code stays as it is.
 */
export class LeaseholdLayer extends Construct {
  readonly layerVersion: LayerVersion

  constructor(scope: Construct, id: string, { zip, layerVersionName, removalPolicy }: LayerProps) {
    super(scope, id)
    this.layerVersion = new LayerVersion(this, 'Version', {
      code: Code.fromAsset(zip),
      compatibleRuntimes: RUNTIMES,
      compatibleArchitectures: [Architecture.X86_64, Architecture.ARM_64],
      description: 'Leasehold: connection governance for pg and mysql2',
      license: 'MIT',
      ...(layerVersionName === undefined ? {} : { layerVersionName }),
      ...(removalPolicy === undefined ? {} : { removalPolicy }),
    })
  }

  /**
   * Adds the layer to the function and has Lambda start it through `/opt/leasehold`.
   *
   * @throws Error where the function has another wrapper, which it would lose; where it is a container image, which
   * has no layers; where its runtime is none that the layer is for. One that is set later is an error of the synthesis.
   */
  attachTo(lambda: LambdaFunction, { nextWrapper, environment = {} }: AttachOptions = {}): void {
    if (lambda.runtime === Runtime.FROM_IMAGE) {
      throw new Error(
        `${lambda.node.path} is a container image and can have no layers: copy the layer's files into the image`,
      )
    }
    const other = wrapperOf(lambda)
    if (other !== undefined && other !== WRAPPER && other !== nextWrapper)
      throw new Error(taken(lambda, other))
    lambda.addLayers(this.layerVersion)
    for (const [name, value] of Object.entries(environment)) lambda.addEnvironment(name, value)
    lambda.addEnvironment(SLOT, WRAPPER)
    if (nextWrapper !== undefined) lambda.addEnvironment('LEASEHOLD_NEXT_WRAPPER', nextWrapper)
    lambda.node.addValidation({
      validate: () => {
        const last = wrapperOf(lambda)
        return last === WRAPPER ? [] : [taken(lambda, String(last))]
      },
    })
  }
}

function wrapperOf(lambda: LambdaFunction): string | undefined {
  const { environment } = lambda.node.defaultChild as CfnFunction
  const { variables } = (Stack.of(lambda).resolve(environment) ?? {}) as {
    variables?: Record<string, string>
  }
  return variables?.[SLOT]
}

function taken(lambda: LambdaFunction, other: string): string {
  return (
    `${lambda.node.path} has ${SLOT}=${other}, and Lambda starts a function through one wrapper only: ` +
    `attachTo(function, { nextWrapper: '${other}' }) calls both`
  )
}
