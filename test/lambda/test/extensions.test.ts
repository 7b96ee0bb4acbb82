// The Extensions API: registration, the INVOKE event, and what they do to the freeze.

import { describe, expect, it } from 'vitest'

import type { FunctionOptions, LambdaFunction, RuntimeKind } from '../src/index.ts'
import { deploy, fields, hasAwsRuntime, runtimes, until, witness } from './deployed.ts'

function deployWith(
  runtime: RuntimeKind,
  environment: Record<string, string>,
  more: Partial<FunctionOptions> = {},
): LambdaFunction {
  return deploy('registers.handler', { runtime, environment, ...more })
}

for (const runtime of runtimes) {
  describe.skipIf(runtime === 'aws' && !hasAwsRuntime)(`extensions under the ${runtime} runtime`, () => {
    it.each(['', 'INVOKE'])('lets an internal extension register for [%s]', async (events) => {
      const { payload } = await deployWith(runtime, { EVENTS: events }).invoke({})
      expect(fields(payload)['registration']).toEqual({
        status: 200,
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        body: {
          functionName: 'tested',
          functionVersion: '$LATEST',
          handler: 'registers.handler',
          accountId: '123456789012',
        },
      })
    })

    it.each(['SHUTDOWN', 'INVOKE,SHUTDOWN', 'OTHER'])(
      'refuses [%s] to an internal extension',
      async (events) => {
        const { payload } = await deployWith(runtime, { EVENTS: events }).invoke({})
        const body = { errorType: 'Extension.InvalidEventType' }
        expect(fields(payload)['registration']).toMatchObject({ status: 403, body })
      },
    )

    it("closes registration at the runtime's first /next", async () => {
      const { payload } = await deployWith(runtime, {}).invoke({ registerNow: 'INVOKE' })
      expect(payload).toMatchObject({ status: 403, body: { errorType: 'Extension.RegistrationClosed' } })
    })

    it('takes ten extensions and no more', async () => {
      const { payload } = await deployWith(runtime, { EVENTS: '', MORE: '11' }).invoke({})
      const statuses = Array.from(Object.values(fields(fields(payload)['registered'])), fields)
      expect(statuses.map(({ status }) => status)).toEqual([...Array(9).fill(200), 403, 403])
      expect(statuses.at(-1)?.['body']).toMatchObject({ errorType: 'Extension.TooManyExtensions' })
    })

    it('refuses a name that is taken', async () => {
      const { payload } = await deployWith(runtime, { EVENTS: '', MORE: '1', MORE_NAME: 'internal' }).invoke(
        {},
      )
      const [second] = Object.values(fields(fields(payload)['registered']))
      const body = { errorType: 'Extension.InvalidExtensionState' }
      expect(second).toMatchObject({ status: 403, body })
    })

    it.each(['init/error', 'exit/error'])('fails the environment at a report to /%s', async (path) => {
      const lambda = deployWith(runtime, { EVENTS: 'INVOKE', REPORT: path })
      const { error } = await lambda.invoke({}, { settle: true })
      expect(error).toMatchObject({ errorType: 'Extension.Tested' })
      expect(error?.errorMessage).toBe('extension internal: {"errorMessage":"no way"}')
      expect(lambda.environments[0]?.state).toBe('ended')
    })

    it('delivers an INVOKE event with every invocation', async () => {
      const lambda = deployWith(runtime, { EVENTS: 'INVOKE' })
      const first = await lambda.invoke({}, { settle: true })
      const { payload } = await lambda.invoke({})
      expect(fields(fields(payload)['received'])[0]).toEqual({
        eventType: 'INVOKE',
        deadlineMs: expect.any(Number),
        requestId: first.requestId,
        invokedFunctionArn: 'arn:aws:lambda:us-east-1:123456789012:function:tested',
        tracing: { type: 'X-Amzn-Trace-Id', value: expect.stringMatching(/^Root=1-/) },
      })
    })

    it('returns the response at once and freezes only when the extension has done its work', async () => {
      const lambda = deployWith(runtime, { EVENTS: 'INVOKE', AFTER_RESPONSE_MS: '400' })
      await lambda.scaleTo(1)
      const invocation = await lambda.invoke({})
      const [environment] = lambda.environments
      expect(invocation.latencyMs).toBeLessThan(390)
      expect(environment?.state).toBe('draining')
      expect(environment?.log).not.toContain('worked after INVOKE')
      await lambda.settled()
      expect(environment?.state).toBe('frozen')
      await until(() => environment?.log.includes('worked after INVOKE') === true)
    })

    it('sends an event that arrives meanwhile to another environment', async () => {
      const lambda = deployWith(runtime, { EVENTS: 'INVOKE', AFTER_RESPONSE_MS: '400' })
      const first = await lambda.invoke({})
      const second = await lambda.invoke({})
      expect(second.coldStart).toBe(true)
      expect(second.environmentId).not.toBe(first.environmentId)
    })

    it('does not wait for an extension that registered for nothing', async () => {
      const lambda = deployWith(runtime, { EVENTS: '', AFTER_RESPONSE_MS: '5000' })
      await lambda.invoke({}, { settle: true })
      expect(lambda.environments[0]?.state).toBe('frozen')
    })

    it('counts the work of extensions against the function timeout', async () => {
      const lambda = deployWith(runtime, { EVENTS: 'INVOKE', AFTER_RESPONSE_MS: '5000' }, { timeoutMs: 150 })
      const { error, timedOut } = await lambda.invoke({}, { settle: true })
      expect([error, timedOut]).toEqual([undefined, false])
      expect(lambda.environments[0]?.state).toBe('ended')
      expect(lambda.environments[0]?.log.join()).toContain('Task timed out after 0.15 seconds')
    })

    it('does not end Init while an extension has registered and not called /event/next', async () => {
      const lambda = deployWith(runtime, { EVENTS: '', NO_NEXT: '1' }, { initTimeoutMs: 1_500 })
      await expect(lambda.scaleTo(1)).rejects.toMatchObject({
        errorType: 'Sandbox.Timedout',
        message: 'Init took longer than 1500 ms: extension internal has not called /event/next',
      })
      expect(lambda.environments[0]?.state).toBe('ended')
    })

    it('starts external extensions before the runtime and shows them less', async () => {
      const lambda = deploy('plain.echo', { runtime, extensions: [witness] })
      const { requestId } = await lambda.invoke({}, { settle: true })
      const log = lambda.environments[0]?.log ?? []
      await until(() => log.some((line) => line.includes(requestId)))
      expect(log[0]).toBe('witness: registered 200')
      expect(log[1]).toBe('witness: sees _HANDLER undefined, name tested')
      expect(log[2]).toMatch(new RegExp(`^witness: INVOKE ${requestId} \\d+ ms left$`))
    })

    it('waits with the freeze for external extensions too', async () => {
      const environment = { EXTERNAL_INVOKE_MS: '400' }
      const lambda = deploy('plain.echo', { runtime, environment, extensions: [witness] })
      await lambda.scaleTo(1)
      const { latencyMs } = await lambda.invoke({})
      expect(latencyMs).toBeLessThan(390)
      expect(lambda.environments[0]?.state).toBe('draining')
      await lambda.settled()
      expect(lambda.environments[0]?.state).toBe('frozen')
    })

    it('fails Init when an external extension crashes in it', async () => {
      const environment = { EXTERNAL_CRASH: 'init' }
      const lambda = deploy('plain.echo', { runtime, environment, extensions: [witness] })
      const { error, requestId } = await lambda.invoke({})
      const how = 'extension witness.mjs exited with error: exit status 3'
      expect(error).toEqual({
        errorType: 'Extension.Crash',
        errorMessage: `RequestId: ${requestId} Error: ${how}`,
      })
    })

    it('loses the environment when an external extension crashes later', async () => {
      const environment = { EXTERNAL_CRASH: 'invoke' }
      const lambda = deploy('plain.wait', { runtime, environment, extensions: [witness] })
      const { error } = await lambda.invoke({ ms: 2_000 }, { settle: true })
      expect(error?.errorType).toBe('Extension.Crash')
      expect(lambda.environments[0]?.state).toBe('ended')
    })
  })
}
