// The package's public face.

export type {
  Environment,
  EnvironmentState,
  FunctionOptions,
  Invocation,
  InvocationError,
  InvokeOptions,
  LambdaFunction,
  Reclaimed,
  RuntimeKind,
} from './api.ts'
export { deployFunction } from './deploy.ts'
export { optProblem } from './opt.ts'
export { DeploymentError, DisposedError, SandboxError, ThrottledError } from './errors.ts'
