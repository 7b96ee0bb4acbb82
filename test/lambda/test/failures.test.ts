// Timeouts, crashes and environments that go away: reported, never hanging.

import { describe, expect, it } from 'vitest'

import { SandboxError } from '../src/index.ts'
import { deploy, hasAwsRuntime, kernelState, runtimes, until } from './deployed.ts'

for (const runtime of runtimes) {
  describe.skipIf(runtime === 'aws' && !hasAwsRuntime)(`failures under the ${runtime} runtime`, () => {
    it('reports a handler that outlasts the function timeout, and ends its environment', async () => {
      const lambda = deploy('plain.wait', { runtime, timeoutMs: 150 })
      const { requestId, ...rest } = await lambda.invoke({ ms: 5_000 }, { settle: true })
      expect(rest).toMatchObject({
        timedOut: true,
        error: {
          errorType: 'Sandbox.Timedout',
          errorMessage: `RequestId: ${requestId} Error: Task timed out after 0.15 seconds`,
        },
      })
      expect(rest.latencyMs).toBeLessThan(1_000)
      const [environment] = lambda.environments
      expect(environment?.state).toBe('ended')
      expect(kernelState(environment?.pid)).toBeUndefined()
      expect(await lambda.invoke({ ms: 1 })).toMatchObject({ coldStart: true, payload: 'waited' })
    })

    it.each([
      [1, 'Runtime exited with error: exit status 1'],
      [0, 'Runtime exited without providing a reason'],
    ])('reports a runtime that exits with status %i', async (code, message) => {
      const lambda = deploy('plain.exit', { runtime })
      const { error, requestId, timedOut } = await lambda.invoke({ code }, { settle: true })
      const errorMessage = `RequestId: ${requestId} Error: ${message}`
      expect(error).toEqual({ errorType: 'Runtime.ExitError', errorMessage })
      expect(timedOut).toBe(false)
      expect(lambda.environments[0]?.state).toBe('ended')
    })

    it('reports a runtime that is killed', async () => {
      const { error } = await deploy('plain.kill', { runtime }).invoke({})
      expect(error?.errorMessage).toMatch(/Runtime exited with error: signal: killed$/)
    })

    it('notices when a frozen process is killed, and starts another', async () => {
      const lambda = deploy('plain.echo', { runtime })
      await lambda.invoke({}, { settle: true })
      const [environment] = lambda.environments
      if (environment?.pid !== undefined) process.kill(environment.pid, 'SIGKILL')
      await until(() => environment?.state === 'ended')
      expect((await lambda.invoke({})).coldStart).toBe(true)
    })

    it('runs an Init that took too long once more, within the invocation', async () => {
      const environment = { INIT_MS: '300' }
      const lambda = deploy('slow-init.handler', { runtime, environment, initTimeoutMs: 150 })
      const { payload, queuedMs } = await lambda.invoke({})
      expect(payload).toBe('at last')
      expect(queuedMs).toBeGreaterThan(450)
      expect(lambda.environments).toHaveLength(1)
    })

    it('reports an Init that outlasts the function timeout as well', async () => {
      const environment = { INIT_MS: '5000' }
      const lambda = deploy('slow-init.handler', { runtime, environment, initTimeoutMs: 100, timeoutMs: 200 })
      const { error, timedOut } = await lambda.invoke({}, { settle: true })
      expect(error?.errorMessage).toMatch(/Task timed out after 0\.20 seconds .*the runtime has not called/)
      expect(timedOut).toBe(true)
      expect(lambda.environments[0]?.state).toBe('ended')
    })

    it('rejects scaleTo() when an environment does not initialise', async () => {
      const lambda = deploy('broken.handler', { runtime })
      await expect(lambda.scaleTo(1)).rejects.toBeInstanceOf(SandboxError)
    })

    it('answers an invocation whose environment vanishes meanwhile', async () => {
      const lambda = deploy('plain.wait', { runtime })
      await lambda.scaleTo(1)
      const pending = lambda.invoke({ ms: 10_000 })
      lambda.environments[0]?.vanish()
      expect((await pending).error?.errorType).toBe('ServiceException')
    })
  })
}

describe('deployment', () => {
  it('lists everything that is wrong with the options', () => {
    const options = { name: 'no spaces', taskRoot: 'relative', timeoutMs: 0, extensions: ['/nowhere'] }
    expect(() => deploy('handler', options)).toThrow(/`name`.*`taskRoot`.*`handler`.*`timeoutMs`.*nowhere/s)
  })

  it('refuses Managed Instances under the stand-in runtime', () => {
    const environment = { AWS_LAMBDA_MAX_CONCURRENCY: '4' }
    expect(() => deploy('plain.echo', { runtime: 'stand-in', environment })).toThrow(/not yet emulated/)
  })
})
