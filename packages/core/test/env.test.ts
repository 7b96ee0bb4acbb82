import { describe, expect, it } from 'vitest'

import { functionName, invocationMark } from '../src/env.ts'

describe('what the environment tells', () => {
  it.each([
    [{ AWS_LAMBDA_FUNCTION_NAME: 'checkout' }, 'checkout'],
    [{ AWS_LAMBDA_FUNCTION_NAME: '' }, undefined],
    [{}, undefined],
  ])('gives the function’s name in Lambda, and nothing elsewhere: %j', (env, name) => {
    expect(functionName(env)).toBe(name)
  })

  it('marks an invocation by its trace id', () => {
    expect(invocationMark({ _X_AMZN_TRACE_ID: 'Root=1-abc' })).toBe('Root=1-abc')
  })

  it('marks none where several invocations share the process', () => {
    const env = { _X_AMZN_TRACE_ID: 'Root=1-abc', AWS_LAMBDA_MAX_CONCURRENCY: '16' }
    expect(invocationMark(env)).toBeUndefined()
  })
})
