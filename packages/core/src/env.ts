/** What the core reads from the process's environment, through a port: the function's own facts. */

export type Env = Readonly<Record<string, string | undefined>>

export const systemEnv: Env = process.env

/** Sets a variable of this process, for what reads it later. */
export function setSystemEnv(name: string, value: string): void {
  process.env[name] = value
}

/** The Lambda function's name, or undefined outside Lambda. Source: `AWS_LAMBDA_FUNCTION_NAME`. */
export function functionName(env: Env): string | undefined {
  const name = env['AWS_LAMBDA_FUNCTION_NAME']
  return name === undefined || name === '' ? undefined : name
}

/**
 * Something that differs from one invocation to the next, or undefined where nothing is known
 * (outside Lambda, or where several invocations share the process). Lambda's Node runtime sets
 * the trace id before each invocation.
 */
export function invocationMark(env: Env): string | undefined {
  return runsSeveralInvocations(env) ? undefined : env['_X_AMZN_TRACE_ID']
}

/** Whether Lambda makes JSON of what is logged. Source: `AWS_LAMBDA_LOG_FORMAT`. */
export function logsJson(env: Env): boolean {
  return env['AWS_LAMBDA_LOG_FORMAT'] === 'JSON'
}

/** Whether one process serves several invocations at once. Source: `AWS_LAMBDA_MAX_CONCURRENCY`. */
export function runsSeveralInvocations(env: Env): boolean {
  return env['AWS_LAMBDA_MAX_CONCURRENCY'] !== undefined
}
