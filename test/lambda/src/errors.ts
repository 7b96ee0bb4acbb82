// Errors of the emulator itself. What goes wrong inside a function is part of its Invocation instead.

import type { InvocationError } from './api.ts'

/** Reserved concurrency is used up: what Lambda answers with HTTP status 429. */
export class ThrottledError extends Error {
  override readonly name = 'TooManyRequestsException'
  readonly code = 'THROTTLED'
  readonly statusCode = 429
  readonly reason = 'ReservedFunctionConcurrentInvocationLimitExceeded'
}

/** The function was disposed of while something was still waiting for it. */
export class DisposedError extends Error {
  override readonly name = 'DisposedError'
  readonly code = 'DISPOSED'
}

/** The function can't be deployed as described. */
export class DeploymentError extends Error {
  override readonly name = 'DeploymentError'
  readonly code = 'NOT_DEPLOYABLE'
}

/** An environment failed, in Lambda's words. Becomes the `error` of the invocation it hit. */
export class SandboxError extends Error {
  override readonly name = 'SandboxError'
  readonly errorType: string
  readonly trace: readonly string[] | undefined
  /** Which of Lambda's two shutdown reasons for a reset applies. */
  readonly resetReason: 'timeout' | 'failure'

  constructor(errorType: string, message: string, more: SandboxErrorDetails = {}) {
    super(message)
    this.errorType = errorType
    this.trace = more.trace
    this.resetReason = more.resetReason ?? 'failure'
  }

  toInvocationError(): InvocationError {
    const error = { errorType: this.errorType, errorMessage: this.message }
    return this.trace === undefined ? error : { ...error, trace: this.trace }
  }
}

interface SandboxErrorDetails {
  readonly trace?: readonly string[] | undefined
  readonly resetReason?: 'timeout' | 'failure'
}

/** In the words of Lambda's own response. */
export function timeoutError(timeoutMs: number, detail?: string): SandboxError {
  const seconds = (timeoutMs / 1_000).toFixed(2)
  const more = detail === undefined ? '' : ` (${detail})`
  const message = `Error: Task timed out after ${seconds} seconds${more}`
  return new SandboxError('Sandbox.Timedout', message, { resetReason: 'timeout' })
}
