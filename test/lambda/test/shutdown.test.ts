// How environments end: told, in time; or not at all.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import type { Environment, FunctionOptions } from '../src/index.ts'
import { deploy, hasAwsRuntime, kernelState, runtimes, until, witness } from './deployed.ts'
import { establishedCount, listen, type Peer } from './peer.ts'

function said(environment: Environment, text: string): boolean {
  return environment.log.some((line) => line.includes(text))
}

for (const runtime of runtimes) {
  describe.skipIf(runtime === 'aws' && !hasAwsRuntime)(`the end of an environment, ${runtime}`, () => {
    let peer: Peer

    beforeEach(async () => {
      peer = await listen()
    })

    afterEach(() => {
      peer.close()
    })

    /** One frozen environment with a connection to the peer. */
    async function startOne(
      variables: Record<string, string>,
      more: Partial<FunctionOptions> = {},
    ): Promise<Environment> {
      const environment = { PEER_PORT: String(peer.port), ...variables }
      const lambda = deploy('registers.handler', { runtime, environment, ...more })
      await lambda.invoke({}, { settle: true })
      await until(() => peer.sockets.length === 1)
      const [started] = lambda.environments
      if (started === undefined) throw new Error('nothing was started')
      return started
    }

    it('vanish() keeps its connections open as their peer sees them, until dispose()', async () => {
      const environment = { PEER_PORT: String(peer.port) }
      const lambda = deploy('registers.handler', { runtime, environment })
      await lambda.scaleTo(1)
      await until(() => peer.sockets.length === 1)
      lambda.environments[0]?.vanish()
      peer.sockets[0]?.write('anybody there?')
      await until(() => kernelState(lambda.environments[0]?.pid) === 'T')
      expect(lambda.environments[0]?.state).toBe('vanished')
      expect([peer.closedCount(), establishedCount(peer.port)]).toEqual([0, 1])
      await lambda.dispose()
      await until(() => peer.closedCount() === 1)
    })

    it('has no time at all when nothing is registered: no SIGTERM, no FIN', async () => {
      const environment = await startOne({ ON_SIGTERM: 'die' })
      expect(await environment.reclaim()).toEqual({ exitedAfterMs: 0, killed: true })
      expect(environment.state).toBe('vanished')
      await until(() => kernelState(environment.pid) === 'T')
      expect([peer.closedCount(), establishedCount(peer.port)]).toEqual([0, 1])
      expect(said(environment, 'SIGTERM handled')).toBe(false)
    })

    it('sends SIGTERM, after a thaw, when an internal extension is registered', async () => {
      const environment = await startOne({ EVENTS: '', ON_SIGTERM: 'die' })
      expect(await environment.reclaim()).toMatchObject({ killed: false })
      expect(environment.state).toBe('ended')
      await until(() => said(environment, 'SIGTERM handled'))
      await until(() => peer.closedCount() === 1)
    })

    it('ends at SIGTERM when there is no handler for it', async () => {
      const environment = await startOne({ EVENTS: 'INVOKE' })
      expect(await environment.reclaim()).toMatchObject({ killed: false })
      expect(environment.state).toBe('ended')
    })

    it('vanishes after 500 ms when only internal extensions are registered', async () => {
      const environment = await startOne({ EVENTS: '', ON_SIGTERM: 'ignore' })
      const { exitedAfterMs, killed } = await environment.reclaim()
      expect(killed).toBe(true)
      expect(exitedAfterMs).toBeGreaterThanOrEqual(499)
      expect(exitedAfterMs).toBeLessThan(1_500)
      expect(environment.state).toBe('vanished')
      await until(() => kernelState(environment.pid) === 'T')
      expect([peer.closedCount(), establishedCount(peer.port)]).toEqual([0, 1])
    })

    it('tells an external extension after the runtime has ended', async () => {
      const variables = { ON_SIGTERM: 'die', EXTERNAL_SHUTDOWN: 'exit' }
      const environment = await startOne(variables, { extensions: [witness] })
      expect(await environment.reclaim()).toMatchObject({ killed: false })
      expect(environment.state).toBe('ended')
      await until(() => said(environment, 'SHUTDOWN spindown'))
      expect(environment.log.find((line) => /SIGTERM|SHUTDOWN/.test(line))).toBe('SIGTERM handled')
    })

    it('tells it after 300 ms when the runtime takes longer, with the rest of 2,000 ms to go', async () => {
      const variables = { ON_SIGTERM: 'ignore', EXTERNAL_SHUTDOWN: 'exit' }
      const environment = await startOne(variables, { extensions: [witness] })
      const { exitedAfterMs, killed } = await environment.reclaim()
      expect(killed).toBe(true)
      expect(exitedAfterMs).toBeGreaterThanOrEqual(299)
      await until(() => said(environment, 'SHUTDOWN spindown'))
      const left = /SHUTDOWN spindown (\d+) ms left/.exec(environment.log.join('\n'))?.[1]
      expect(Number(left)).toBeLessThanOrEqual(1_701)
      expect(Number(left)).toBeGreaterThan(1_000)
    })

    it('vanishes after 2,000 ms when an external extension lingers', async () => {
      const variables = { EXTERNAL_SHUTDOWN: 'linger' }
      const environment = await startOne(variables, { extensions: [witness] })
      const { exitedAfterMs, killed } = await environment.reclaim()
      expect(killed).toBe(true)
      expect(exitedAfterMs).toBeGreaterThanOrEqual(1_999)
      expect(exitedAfterMs).toBeLessThan(3_000)
      expect(environment.state).toBe('vanished')
    })

    it('kills an external extension that did not register for SHUTDOWN', async () => {
      const variables = { ON_SIGTERM: 'die', EXTERNAL_EVENTS: 'INVOKE' }
      const environment = await startOne(variables, { extensions: [witness] })
      expect(await environment.reclaim()).toMatchObject({ killed: false })
      expect(environment.state).toBe('ended')
    })

    it('says `timeout` to extensions after a timeout, and `failure` after a crash', async () => {
      const environment = { EXTERNAL_SHUTDOWN: 'exit' }
      const common = { runtime, environment, extensions: [witness], timeoutMs: 1_000 }
      const slow = deploy('plain.wait', common)
      const crashing = deploy('plain.exit', common)
      await Promise.all([
        slow.invoke({ ms: 10_000 }, { settle: true }),
        crashing.invoke({ code: 1 }, { settle: true }),
      ])
      await until(() => slow.environments[0]?.log.join().includes('SHUTDOWN timeout') === true)
      await until(() => crashing.environments[0]?.log.join().includes('SHUTDOWN failure') === true)
    })

    it('is put off until a running invocation is over', async () => {
      const lambda = deploy('plain.wait', { runtime })
      await lambda.scaleTo(1)
      const pending = lambda.invoke({ ms: 50 })
      const reclaimed = lambda.environments[0]?.reclaim()
      expect((await pending).payload).toBe('waited')
      expect(await reclaimed).toEqual({ exitedAfterMs: 0, killed: true })
    })
  })
}

describe.skipIf(!hasAwsRuntime)("process.exit() in a SIGTERM handler under AWS's client", () => {
  it('does not return: it joins the thread that waits for the next event', async () => {
    const environment = { EVENTS: '', ON_SIGTERM: 'exit' }
    const lambda = deploy('registers.handler', { runtime: 'aws', environment })
    await lambda.scaleTo(1)
    const reclaimed = await lambda.environments[0]?.reclaim()
    expect(reclaimed?.killed).toBe(true)
    await until(() => lambda.environments[0]?.log.includes('SIGTERM handled') === true)
  })
})
