// Freezing and thawing, as the kernel and the handler see them.

import { describe, expect, it } from 'vitest'

import { deploy, fields, hasAwsRuntime, kernelState, runtimes, until } from './deployed.ts'

for (const runtime of runtimes) {
  describe.skipIf(runtime === 'aws' && !hasAwsRuntime)(`freezing with the ${runtime} runtime`, () => {
    it('stops the process once the runtime waits for the next event', async () => {
      const lambda = deploy('plain.echo', { runtime })
      await lambda.invoke({}, { settle: true })
      const [environment] = lambda.environments
      expect(environment?.state).toBe('frozen')
      await until(() => kernelState(environment?.pid) === 'T')
    })

    it('lets no timer of the handler fire while it is frozen', async () => {
      const lambda = deploy('plain.echo', { runtime })
      const before = fields((await lambda.invoke({}, { settle: true })).payload)
      const other = deploy('plain.wait', { runtime })
      await other.invoke({ ms: 200 })
      const after = fields((await lambda.invoke({})).payload)
      expect(after['pid']).toBe(before['pid'])
      // One that was due fires after the thaw; forty would have fired in 200 ms.
      expect(Number(after['ticks']) - Number(before['ticks'])).toBeLessThan(10)
    })

    it('thaws the same process for the next event, its globals intact', async () => {
      const lambda = deploy('plain.echo', { runtime })
      const first = await lambda.invoke({ n: 1 }, { settle: true })
      const second = await lambda.invoke({ n: 2 }, { settle: true })
      expect([first.coldStart, second.coldStart]).toEqual([true, false])
      expect(fields(second.payload)).toMatchObject({ event: { n: 2 }, invocations: 2 })
      expect(lambda.environments).toHaveLength(1)
      expect(lambda.environments[0]?.invocations).toBe(2)
    })

    it('freezes an environment that was started ahead of any event', async () => {
      const lambda = deploy('plain.echo', { runtime })
      await lambda.scaleTo(1)
      const [environment] = lambda.environments
      expect(environment?.state).toBe('frozen')
      await until(() => kernelState(environment?.pid) === 'T')
      expect((await lambda.invoke({})).coldStart).toBe(false)
    })
  })
}
