// What a handler is given and what becomes of its answers.

import { describe, expect, it } from 'vitest'

import { deploy, fields, hasAwsRuntime, runtimes } from './deployed.ts'

for (const runtime of runtimes) {
  describe.skipIf(runtime === 'aws' && !hasAwsRuntime)(`a handler under the ${runtime} runtime`, () => {
    it('gets the event and returns a payload', async () => {
      const lambda = deploy('plain.echo', { runtime })
      expect(lambda.runtime).toBe(runtime)
      const invocation = await lambda.invoke({ text: 'Grüße, 世界 \u0000', list: [1, null] })
      expect(invocation.error).toBeUndefined()
      expect(fields(invocation.payload)['event']).toEqual({ text: 'Grüße, 世界 \u0000', list: [1, null] })
    })

    it('may be a CommonJS module', async () => {
      const lambda = deploy('common.handler', { runtime })
      expect((await lambda.invoke({ a: 1 })).payload).toEqual({ module: 'cjs', event: { a: 1 } })
    })

    it('reads its deadline, ARN and identity from its context', async () => {
      const lambda = deploy('plain.describeContext', { runtime, timeoutMs: 2_000, memoryMb: 256 })
      const { payload, requestId } = await lambda.invoke({})
      expect(payload).toMatchObject({
        awsRequestId: requestId,
        functionName: 'tested',
        functionVersion: '$LATEST',
        memoryLimitInMB: '256',
        invokedFunctionArn: 'arn:aws:lambda:us-east-1:123456789012:function:tested',
        logGroupName: '/aws/lambda/tested',
        cwd: expect.stringMatching(/functions$/),
      })
      expect(fields(payload)['remainingMs']).toBeGreaterThan(1_000)
      expect(fields(payload)['remainingMs']).toBeLessThanOrEqual(2_000)
    })

    it('finds another trace id in its environment with every invocation', async () => {
      const lambda = deploy('plain.describeContext', { runtime })
      const traces: unknown[] = []
      for (let i = 0; i < 2; i += 1) {
        traces.push(fields((await lambda.invoke({}, { settle: true })).payload)['traceIdVariable'])
      }
      expect(traces[0]).toMatch(/^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0$/)
      expect(traces[1]).not.toBe(traces[0])
    })

    it('has its error in the invocation, and the environment goes on', async () => {
      const lambda = deploy('plain.fail', { runtime })
      const { error, payload, timedOut } = await lambda.invoke({ message: 'too far' }, { settle: true })
      expect(error).toMatchObject({ errorType: 'RangeError', errorMessage: 'too far' })
      expect(error?.trace?.[0]).toBe('RangeError: too far')
      expect([payload, timedOut]).toEqual([undefined, false])
      expect(lambda.environments[0]?.state).toBe('frozen')
    })

    it('may throw something that is not an Error', async () => {
      const { error } = await deploy('plain.throwText', { runtime }).invoke({})
      expect(error).toMatchObject({ errorType: 'string', errorMessage: 'not an Error' })
    })

    it('may stream its response', async () => {
      const lambda = deploy('plain.stream', { runtime })
      expect((await lambda.invoke({ parts: ['one ', 'two'] }, { settle: true })).payload).toBe('one two')
      expect((await lambda.invoke({ parts: ['3'] })).coldStart).toBe(false)
    })

    it('may fail after the first bytes of its stream', async () => {
      const { error } = await deploy('plain.stream', { runtime }).invoke({ parts: ['x'], failWith: 'torn' })
      expect(error).toMatchObject({ errorType: 'Error', errorMessage: 'torn' })
    })

    it.each([
      ['nowhere.handler', 'Runtime.ImportModuleError'],
      ['plain.missing', 'Runtime.HandlerNotFound'],
      ['plain.notAFunction', 'Runtime.HandlerNotFound'],
      ['broken.handler', 'Runtime.UserCodeSyntaxError'],
    ])('that can not be loaded (%s) fails its first invocation with %s', async (handler, errorType) => {
      const lambda = deploy(handler, { runtime })
      const { error, coldStart } = await lambda.invoke({}, { settle: true })
      expect(error?.errorType).toBe(errorType)
      expect(coldStart).toBe(true)
      expect(lambda.environments[0]?.state).toBe('ended')
    })

    it('writes to the log of its environment', async () => {
      const seen: string[] = []
      const lambda = deploy('plain.say', { runtime, onLog: (id, line) => seen.push(`${id}: ${line}`) })
      await lambda.invoke({ lines: ['first', 'second'] }, { settle: true })
      await expect.poll(() => seen).toContain('tested-1: and this on stderr')
      expect(seen).toContain('tested-1: first')
      expect(lambda.environments[0]?.log).toContain('second')
    })

    it('keeps the last 200 lines of its log', async () => {
      const lambda = deploy('plain.say', { runtime })
      const lines = Array.from({ length: 300 }, (_, index) => `line ${index}`)
      await lambda.invoke({ lines }, { settle: true })
      const log = lambda.environments[0]?.log
      await expect.poll(() => log).toContain('line 299')
      expect(log).toHaveLength(200)
    })

    it("sees Lambda's variables and its own, and none of the parent's", async () => {
      process.env['ONLY_THE_PARENT_HAS_THIS'] = 'yes'
      const lambda = deploy('plain.environment', { runtime, environment: { MINE: '1', TZ: 'Europe/Rome' } })
      const variables = fields((await lambda.invoke({})).payload)
      expect(variables).toMatchObject({
        MINE: '1',
        TZ: 'Europe/Rome',
        _HANDLER: 'plain.environment',
        LAMBDA_TASK_ROOT: expect.stringMatching(/functions$/),
        LAMBDA_RUNTIME_DIR: expect.any(String),
        AWS_LAMBDA_FUNCTION_NAME: 'tested',
        AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '512',
        AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
        AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/tested',
        AWS_LAMBDA_LOG_STREAM_NAME: expect.stringMatching(/^\d{4}\/\d\d\/\d\d\/\[\$LATEST\][0-9a-f]{32}$/),
        AWS_REGION: 'us-east-1',
        AWS_EXECUTION_ENV: expect.stringMatching(/^AWS_Lambda_nodejs\d\d\.x$/),
        AWS_ACCESS_KEY_ID: expect.any(String),
      })
      expect(variables).not.toHaveProperty('ONLY_THE_PARENT_HAS_THIS')
      expect(variables).not.toHaveProperty('AWS_LAMBDA_MAX_CONCURRENCY')
    })
  })
}

describe('a handler that takes a callback', () => {
  it('answers through it under the stand-in runtime', async () => {
    const lambda = deploy('common.callback', { runtime: 'stand-in' })
    expect((await lambda.invoke({}, { settle: true })).payload).toEqual({ called: 'back' })
    const { error } = await lambda.invoke({ failWith: 'bad' })
    expect(error).toMatchObject({ errorType: 'TypeError', errorMessage: 'bad' })
  })
})
