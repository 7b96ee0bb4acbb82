// The variables Lambda gives a function, and those it hides from external extensions.

import { dirname } from 'node:path'

export interface FunctionIdentity {
  readonly name: string
  readonly taskRoot: string
  readonly handler: string
  readonly memoryMb: number
  readonly nodePath: string
  /** Major version of the Node.js at `nodePath`. */
  readonly nodeMajor: string
  readonly environment: Readonly<Record<string, string>>
  readonly runtimeDir: string
  /** An unpacked layer, which its processes see as `/opt`. */
  readonly opt: string | undefined
}

/** What only the runtime's process may see, by the developer guide's page on extensions. */
const hiddenFromExtensions = new Set([
  'AWS_EXECUTION_ENV',
  'AWS_LAMBDA_LOG_GROUP_NAME',
  'AWS_LAMBDA_LOG_STREAM_NAME',
  'AWS_XRAY_CONTEXT_MISSING',
  'AWS_XRAY_DAEMON_ADDRESS',
  '_AWS_XRAY_DAEMON_ADDRESS',
  '_AWS_XRAY_DAEMON_PORT',
  '_HANDLER',
  'LAMBDA_RUNTIME_DIR',
  'LAMBDA_TASK_ROOT',
])

export function runtimeVariables(
  identity: FunctionIdentity,
  logStream: string,
  runtimeApi: string,
): Record<string, string> {
  const managed = isManaged(identity.environment)
  const region = identity.environment['AWS_REGION'] ?? 'us-east-1'
  return {
    PATH: `${dirname(identity.nodePath)}:/usr/local/bin:/usr/bin:/bin:/opt/bin`,
    // Nobody's home, like the one of Lambda's sandbox user: no ~/.pgpass, no ~/.aws.
    HOME: '/home/sbx_user1051',
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    // Lambda always sets credentials; without any, SDKs go looking for an instance role and wait.
    AWS_ACCESS_KEY_ID: 'ASIAEMULATEDLAMBDA00',
    AWS_SECRET_ACCESS_KEY: 'emulated-secret-access-key',
    AWS_SESSION_TOKEN: 'emulated-session-token',
    AWS_EXECUTION_ENV: `AWS_Lambda_nodejs${identity.nodeMajor}.x`,
    AWS_LAMBDA_FUNCTION_NAME: identity.name,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(identity.memoryMb),
    AWS_LAMBDA_INITIALIZATION_TYPE: managed ? 'lambda-managed-instances' : 'on-demand',
    AWS_LAMBDA_LOG_FORMAT: managed ? 'JSON' : 'Text',
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${identity.name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: logStream,
    AWS_XRAY_CONTEXT_MISSING: 'LOG_ERROR',
    LAMBDA_RUNTIME_DIR: identity.runtimeDir,
    ...identity.environment,
    LAMBDA_TASK_ROOT: identity.taskRoot,
    AWS_LAMBDA_RUNTIME_API: runtimeApi,
    _HANDLER: identity.handler,
  }
}

/** What the managed runtimes start Node.js with, unless the function has its own; extensions are not told. */
export function layerVariables(identity: FunctionIdentity): Record<string, string> {
  const { nodeMajor, taskRoot, environment, opt } = identity
  if (opt === undefined || environment['NODE_PATH'] !== undefined) return {}
  const runtimeDir = environment['LAMBDA_RUNTIME_DIR'] ?? identity.runtimeDir
  const folders = [
    `/opt/nodejs/node${nodeMajor}/node_modules`,
    '/opt/nodejs/node_modules',
    `${runtimeDir}/node_modules`,
    runtimeDir,
    taskRoot,
  ]
  return { NODE_PATH: folders.join(':') }
}

export function extensionVariables(runtime: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(runtime).filter(([name]) => !hiddenFromExtensions.has(name)))
}

/** Whether the function is one of Lambda Managed Instances, by the test the runtime client itself makes. */
export function isManaged(environment: Readonly<Record<string, string>>): boolean {
  return environment['AWS_LAMBDA_MAX_CONCURRENCY'] !== undefined
}

export function functionArn(identity: FunctionIdentity): string {
  const region = identity.environment['AWS_REGION'] ?? 'us-east-1'
  return `arn:aws:lambda:${region}:${accountId}:function:${identity.name}`
}

export const accountId = '123456789012'
