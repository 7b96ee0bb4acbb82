import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import type { AwsIdentity } from '../../src/aws/identity.ts'
import { iamToken } from '../../src/aws/index.ts'
import { LeaseholdError } from '../../src/errors.ts'
import { rejectionOf } from '../scene.ts'
import { request, setAwsScene, TARGET } from './scene.ts'
import { countingIdentity, keyOf, tokenOf } from './token-scene.ts'

describe('tokens in the cache', () => {
  it('serve until 60 s before their 15 minutes are over', async () => {
    const { clock, env } = setAwsScene()
    const identity = countingIdentity(clock)
    const source = iamToken({ credentials: identity.provide }, { clock, env })
    expect(await keyOf(source)).toBe('AKID1')
    await clock.advance(839_999)
    expect(await keyOf(source)).toBe('AKID1')
    await clock.advance(1)
    expect(await keyOf(source)).toBe('AKID2')
    expect(identity.count).toBe(2)
  })

  it('end 60 s before the credentials that signed them', async () => {
    const { clock, env } = setAwsScene()
    const source = iamToken({ credentials: countingIdentity(clock, 300_000).provide }, { clock, env })
    expect(await keyOf(source)).toBe('AKID1')
    await clock.advance(239_999)
    expect(await keyOf(source)).toBe('AKID1')
    await clock.advance(1)
    expect(await keyOf(source)).toBe('AKID2')
  })

  it('age through a freeze that the monotonic clock did not see', async () => {
    const { clock, env } = setAwsScene()
    const source = iamToken({ credentials: countingIdentity(clock).provide }, { clock, env })
    await keyOf(source)
    clock.freeze(900_000, 0)
    expect(await keyOf(source)).toBe('AKID2')
  })

  it('are never given when less than they may be used for is left, whatever the times', async () => {
    const life = fc.option(fc.integer({ min: 1, max: 2_000_000 }), { nil: undefined })
    const steps = fc.array(fc.integer({ min: 0, max: 1_000_000 }), { minLength: 1, maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(life, steps, fc.boolean(), async (lifeMs, waits, isFrozen) => {
        const { clock, env } = setAwsScene()
        const signedAt: number[] = []
        const identity = countingIdentity(clock, lifeMs)
        const provide = (): Promise<AwsIdentity> => {
          signedAt.push(clock.epochMs())
          return identity.provide()
        }
        const source = iamToken({ credentials: provide }, { clock, env })
        const usableMs = Math.min(900_000, lifeMs ?? Number.POSITIVE_INFINITY)
        for (const waitMs of [0, ...waits]) {
          clock.freeze(waitMs, isFrozen ? 0 : waitMs)
          const ageMs = (number: number): number => clock.epochMs() - (signedAt[number - 1] ?? 0)
          const number = Number((await keyOf(source)).slice('AKID'.length))
          const wasJustSigned = ageMs(number) === 0
          expect(wasJustSigned || usableMs - ageMs(number) > 60_000).toBe(true)
          // And not signed again while the one before would have done.
          if (wasJustSigned && waitMs > 0 && number > 1)
            expect(usableMs - ageMs(number - 1)).toBeLessThanOrEqual(60_000)
        }
      }),
      { numRuns: 60 },
    )
  })

  it('are one for each host, port, user and region', async () => {
    const { clock, env } = setAwsScene()
    const identity = countingIdentity(clock)
    const source = iamToken({ credentials: identity.provide }, { clock, env })
    const targets = [
      TARGET,
      { ...TARGET, port: 3306 },
      { ...TARGET, user: 'other' },
      { ...TARGET, host: 'reader.cluster-ro-abc.eu-west-1.rds.amazonaws.com' },
    ]
    for (const target of [...targets, ...targets]) await tokenOf(source, { target })
    expect(identity.count).toBe(4)
  })

  it('are bounded: what was not used for long is signed again', async () => {
    const { clock, env } = setAwsScene()
    const identity = countingIdentity(clock)
    const source = iamToken({ credentials: identity.provide }, { clock, env })
    await tokenOf(source)
    for (let port = 1; port <= 100; port += 1) await tokenOf(source, { target: { ...TARGET, port } })
    await tokenOf(source)
    expect(identity.count).toBe(102)
  })

  it('are signed once for all who ask at the same time', async () => {
    const { clock, env } = setAwsScene()
    const identity = countingIdentity(clock)
    const source = iamToken({ credentials: identity.provide }, { clock, env })
    const tokens = await Promise.all(Array.from({ length: 20 }, () => tokenOf(source)))
    expect([new Set(tokens).size, identity.count]).toEqual([1, 1])
  })

  it('never hold a failure', async () => {
    const scene = setAwsScene()
    let isDown = true
    const identity = countingIdentity(scene.clock)
    const provide = async (): Promise<AwsIdentity> => {
      if (isDown) throw Object.assign(new Error('down'), { code: 'ECONNREFUSED' })
      return identity.provide()
    }
    const source = iamToken({ credentials: provide }, scene)
    const error = await rejectionOf(tokenOf(source))
    expect(LeaseholdError.is(error) && error.code).toBe('CREDENTIALS_UNAVAILABLE')
    expect(error).toHaveProperty('cause.code', 'ECONNREFUSED')
    isDown = false
    expect(await keyOf(source)).toBe('AKID1')
  })

  it('are used to their end where they cannot be renewed', async () => {
    const scene = setAwsScene()
    const { clock } = scene
    const identity = countingIdentity(clock)
    let isDown = false
    const provide = (): Promise<AwsIdentity> =>
      isDown ? Promise.reject(new Error('down')) : identity.provide()
    const source = iamToken({ credentials: provide }, scene)
    await tokenOf(source)
    isDown = true
    await clock.advance(899_000)
    expect(await keyOf(source)).toBe('AKID1')
    await clock.advance(1_000)
    await expect(tokenOf(source)).rejects.toMatchObject({ code: 'CREDENTIALS_INVALID' })
  })
})

describe('a refused token', () => {
  it('is signed again once, and then there is nothing else to try', async () => {
    const { clock, env } = setAwsScene()
    const source = iamToken({ credentials: countingIdentity(clock).provide }, { clock, env })
    const first = await source.get(request())
    const second = await source.get(request({ refusals: 1, refused: [first as never] }))
    expect(second?.password).not.toBe(first?.password)
    expect(
      await source.get(request({ refusals: 2, refused: [first as never, second as never] })),
    ).toBeUndefined()
  })

  it('is not signed again at full speed where the set-up is wrong', async () => {
    const { clock, env } = setAwsScene()
    const identity = countingIdentity(clock)
    const source = iamToken({ credentials: identity.provide }, { clock, env })
    for (let second = 0; second < 100; second += 1) {
      const given = await source.get(request())
      await source.get(request({ refusals: 1, refused: [given as never] }))
      await clock.advance(1_000)
    }
    expect(identity.count).toBeLessThan(12)
  })

  it('is replaced by the one that another connect has had signed meanwhile', async () => {
    const { clock, env } = setAwsScene()
    const identity = countingIdentity(clock)
    const source = iamToken({ credentials: identity.provide }, { clock, env })
    const old = await source.get(request())
    const refusal = request({ refusals: 1, refused: [old as never] })
    const renewed = await source.get(refusal)
    expect(await source.get(refusal)).toBe(renewed)
    expect(identity.count).toBe(2)
  })

  it('is signed again once for all whose connects were refused at the same time', async () => {
    const { clock, env } = setAwsScene()
    const identity = countingIdentity(clock)
    const source = iamToken({ credentials: identity.provide }, { clock, env })
    const old = await source.get(request())
    const refusal = request({ refusals: 1, refused: [old as never] })
    const renewed = await Promise.all(Array.from({ length: 20 }, () => source.get(refusal)))
    expect(new Set(renewed).size).toBe(1)
    expect(renewed[0]?.password).not.toBe(old?.password)
    expect(identity.count).toBe(2)
  })

  it('whose renewal failed is told as that until the next, and is not the last word', async () => {
    const { clock, env } = setAwsScene()
    const identity = countingIdentity(clock)
    let isDown = false
    const provide = (): Promise<AwsIdentity> =>
      isDown ? Promise.reject(Object.assign(new Error('down'), { code: 'ECONNREFUSED' })) : identity.provide()
    const source = iamToken({ credentials: provide }, { clock, env })
    const old = await source.get(request())
    const refusal = { refusals: 1, refused: [old as never] }
    isDown = true
    for (let time = 0; time < 2; time += 1) {
      const error = await rejectionOf(source.get(request(refusal)))
      expect(error).toMatchObject({ code: 'CREDENTIALS_UNAVAILABLE' })
    }
    isDown = false
    await clock.advance(1_000)
    expect(await keyOf(source, refusal)).toBe('AKID2')
  })

  it('is signed again by the count alone, where nobody says what was refused', async () => {
    const { clock, env } = setAwsScene()
    const source = iamToken({ credentials: countingIdentity(clock).provide }, { clock, env })
    expect(await keyOf(source)).toBe('AKID1')
    expect(await keyOf(source, { refusals: 1 })).toBe('AKID2')
    expect(await keyOf(source, { refusals: 1 })).toBe('AKID2')
  })
})
