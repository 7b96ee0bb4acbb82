import { describe, expect, it } from 'vitest'

import { iamToken } from '../../src/aws/index.ts'
import type { CredentialRequest } from '../../src/credentials.ts'
import { drive, request, setAwsScene } from './scene.ts'
import { ARN, secretScenes } from './secret-scene.ts'
import { countingIdentity } from './token-scene.ts'

const scenes = secretScenes()

/** A request on whose behalf everything is remembered. */
function observed(more: Partial<CredentialRequest> = {}): {
  asked: CredentialRequest
  take(): Record<string, number[]>
} {
  let seen: Record<string, number[]> = {}
  const observe = (name: string, value: number): void => void (seen[name] ??= []).push(value)
  return {
    asked: request({ ...more, observe }),
    take: () => {
      const taken = seen
      seen = {}
      return taken
    },
  }
}

describe('metrics of tokens', () => {
  it('are their age at each login, and how often one was signed', async () => {
    const { clock, env } = setAwsScene()
    const source = iamToken({ credentials: countingIdentity(clock).provide }, { clock, env })
    const { asked, take } = observed()
    await source.get(asked)
    expect(take()).toEqual({ TokensRenewed: [1], TokenAge: [0] })
    await clock.advance(300_000)
    await source.get(asked)
    expect(take()).toEqual({ TokenAge: [300] })
    await clock.advance(600_000)
    await source.get(asked)
    expect(take()).toEqual({ TokensRenewed: [1], TokenAge: [0] })
  })

  it('are counted once, however many connects share a signing', async () => {
    const { clock, env } = setAwsScene()
    const source = iamToken({ credentials: countingIdentity(clock).provide }, { clock, env })
    const { asked, take } = observed()
    await Promise.all([source.get(asked), source.get(asked), source.get(asked)])
    expect(take()).toEqual({ TokensRenewed: [1], TokenAge: [0, 0, 0] })
  })
})

describe('metrics of secrets', () => {
  it('are their age at each login, and how often they were read', async () => {
    const { clock, source } = scenes.open({ ttlMs: 600_000 })
    scenes.manager.put(ARN, 'p1')
    const { asked, take } = observed()
    await drive(clock, source.get(asked))
    expect(take()).toEqual({ SecretsRenewed: [1], SecretAge: [0] })
    await clock.advance(120_000)
    await drive(clock, source.get(asked))
    expect(take()).toEqual({ SecretAge: [120] })
  })

  it('tell of throttling, and of an older one that serves on', async () => {
    const { clock, source } = scenes.open({ ttlMs: 60_000 })
    scenes.manager.put(ARN, 'p1')
    const { asked, take } = observed()
    await drive(clock, source.get(asked))
    take()
    scenes.manager.always({ kind: 'throttled' })
    await clock.advance(60_000)
    // Reads again behind the connect that asks, and in vain.
    await drive(clock, source.get(asked))
    await clock.advance(0)
    while (scenes.manager.requestCount < 6) await clock.advance(100)
    await clock.settle()
    expect(take()['SecretsThrottled']).toHaveLength(5)
    await drive(clock, source.get(asked))
    const stale = take()
    expect(stale['SecretsServedStale']).toEqual([1])
    expect(stale['SecretAge']?.[0]).toBeGreaterThanOrEqual(60)
  })
})
