import { describe, expect, it } from 'vitest'

import { secret } from '../../src/aws/index.ts'
import { ScriptedRandom } from '../../src/testing/scripted-random.ts'
import { rejectionOf } from '../scene.ts'
import { request, setAwsScene } from './scene.ts'
import { ARN, secretScenes } from './secret-scene.ts'

const scenes = secretScenes()

describe('a secret in the cache', () => {
  it('is read once for all who ask at the same time', async () => {
    scenes.manager.put(ARN, 'p1')
    const { source } = scenes.open()
    await Promise.all(Array.from({ length: 20 }, () => source.get(request())))
    expect(scenes.manager.requestCount).toBe(1)
  })

  it('serves on while the new one is read, once its time is over', async () => {
    scenes.manager.put(ARN, 'p1')
    const { clock, given } = scenes.open({ ttlMs: 60_000 })
    await given()
    await clock.advance(59_000)
    await given()
    expect(scenes.manager.requestCount).toBe(1)
    scenes.manager.put(ARN, 'p2')
    await clock.advance(1_000)
    let release: () => void = () => undefined
    scenes.manager.next({ kind: 'slow', until: new Promise((resolve) => (release = resolve)) })
    expect(await given()).toEqual([undefined, 'p1'])
    await scenes.manager.received(2)
    expect(await given()).toEqual([undefined, 'p1'])
    release()
    await clock.advance(0)
    while ((await given())[1] === 'p1') await clock.advance(0)
    expect(scenes.manager.requestCount).toBe(2)
  })

  it.each([
    ['to all of it', 0.999_999, 300_000],
    ['down to half of it', 0, 150_000],
  ])('is kept for five minutes, jittered %s, where nobody says how long', async (_jitter, chance, keptMs) => {
    scenes.manager.put(ARN, 'p1')
    const scene = { ...setAwsScene(), random: new ScriptedRandom(chance) }
    const source = secret(ARN, { endpoint: scenes.manager.endpoint }, scene)
    await source.get(request())
    await scene.clock.advance(keptMs - 1)
    await source.get(request())
    await scene.clock.settle()
    expect(scenes.manager.requestCount).toBe(1)
    await scene.clock.advance(1)
    await source.get(request())
    await scenes.manager.received(2)
    await scene.clock.settle()
  })

  it('is read for every connect where its time is 0, and serves on if that fails', async () => {
    scenes.manager.put(ARN, 'p1')
    const { clock, given } = scenes.open({ ttlMs: 0 })
    await given()
    scenes.manager.put(ARN, 'p2')
    expect(await given()).toEqual([undefined, 'p2'])
    scenes.manager.always({ kind: 'denied' })
    expect(await given()).toEqual([undefined, 'p2'])
    expect(await given()).toEqual([undefined, 'p2'])
    // The second of them did not ask: 1 s after an error is too soon.
    expect(scenes.manager.requestCount).toBe(3)
    scenes.manager.always(undefined)
    await clock.advance(1_000)
    await given()
    expect(scenes.manager.requestCount).toBe(4)
  })

  it('serves on after an error, and is read again after 1 s, doubling to 128 s', async () => {
    scenes.manager.put(ARN, 'p1')
    const { clock, given } = scenes.open({ ttlMs: 1_000 })
    await given()
    scenes.manager.always({ kind: 'denied' })
    const seconds: number[] = []
    let before = 1
    for (let second = 1; second <= 512; second += 1) {
      await clock.advance(1_000)
      expect(await given()).toEqual([undefined, 'p1'])
      await clock.settle()
      const { requestCount } = scenes.manager
      if (requestCount === before) continue
      before = requestCount
      seconds.push(second)
    }
    const gaps = seconds.slice(1).map((second, index) => second - (seconds[index] ?? 0))
    expect(gaps.slice(0, 9)).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 128])
  })

  it('leaves no rejection unhandled when a reading in the background fails', async () => {
    scenes.manager.put(ARN, 'p1')
    const { clock, given } = scenes.open({ ttlMs: 1_000 })
    const unhandled: unknown[] = []
    const listen = (error: unknown): void => void unhandled.push(error)
    process.on('unhandledRejection', listen)
    try {
      await given()
      await clock.advance(1_000)
      scenes.manager.next({ kind: 'denied' })
      await given()
      await scenes.manager.received(2)
      await clock.settle()
      await new Promise((resolve) => setImmediate(resolve))
      expect(unhandled).toEqual([])
    } finally {
      process.off('unhandledRejection', listen)
    }
  })

  it('is read anew after a freeze that overtook a reading', async () => {
    scenes.manager.put(ARN, 'p1')
    const { clock, source } = scenes.open()
    scenes.manager.next({ kind: 'slow', until: new Promise(() => undefined) })
    const frozen = rejectionOf(source.get(request()))
    await scenes.manager.received(1)
    clock.freeze(600_000, 0)
    const thawed = await source.get(request())
    expect(thawed?.password).toBe('p1')
    await clock.advance(3_000)
    await frozen
  })
})
