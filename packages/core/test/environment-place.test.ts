import { afterEach, describe, expect, it } from 'vitest'

import { openInPlace } from '../src/environment-place.ts'
import { processWide } from '../src/process-wide.ts'
import type { EnvironmentPlace } from '../src/share.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { governedScene } from './governed-scene.ts'

afterEach(() => {
  processWide().places = undefined
})

/** Gives out `count` places, and keeps who is asked to give one back. */
function keep(count: number) {
  const waiting: ((place: EnvironmentPlace) => void)[] = []
  const holders: (() => boolean)[] = []
  let freeCount = count
  const place = (): EnvironmentPlace => {
    freeCount -= 1
    let isLeft = false
    return {
      leave: () => {
        expect(isLeft).toBe(false)
        isLeft = true
        freeCount += 1
        if (waiting.length > 0) waiting.shift()?.(place())
      },
    }
  }
  processWide().places = {
    mostCount: 9,
    take: (signal, giveBack) =>
      new Promise((resolve, reject) => {
        holders.push(giveBack)
        if (freeCount > 0) {
          resolve(place())
          return
        }
        waiting.push(resolve)
        signal.addEventListener('abort', () => reject(signal.reason))
      }),
  }
  return { holders, freeCount: () => freeCount }
}

describe('an environment whose places somebody keeps', () => {
  it('opens a connection once there is a place, and gives the place back when it is closed', async () => {
    const { freeCount } = keep(1)
    const { governor, open, settle } = governedScene()
    const first = await open()
    expect(freeCount()).toBe(0)
    const second = open()
    await settle(first.governed)
    first.governed.hands.drop()
    await second
    expect(freeCount()).toBe(0)
    expect(governor.connections.size).toBe(1)
  })

  it('ends a wait for a place in time, with an error that says so', async () => {
    keep(0)
    const { clock, open } = governedScene({ acquireTimeoutMs: 3_000 })
    const opening = open()
    const failed = expect(opening).rejects.toMatchObject({
      code: 'ACQUIRE_TIMEOUT',
      message: "waiting for one of the environment's connections took longer than 3000 ms",
    })
    await clock.advance(3_000)
    await failed
  })

  it('asks for no place on behalf of somebody who has given up already', async () => {
    const keeper = { mostCount: 1, take: () => Promise.reject(new Error('asked all the same')) }
    const gone = AbortSignal.abort(new Error('gone'))
    const opening = openInPlace(keeper, new ManualClock(), 1_000, gone, () =>
      Promise.reject(new Error('opened all the same')),
    )
    await expect(opening).rejects.toThrow('gone')
  })

  it('leaves no place behind where the connect fails', async () => {
    const { freeCount } = keep(2)
    const { open } = governedScene({ acquireTimeoutMs: 1 }, { slotCount: 0 })
    await expect(open()).rejects.toThrow()
    expect(freeCount()).toBe(2)
  })

  it('gives an idle connection back when it is asked to, and none that is in use', async () => {
    const { holders, freeCount } = keep(2)
    const { open, settle } = governedScene()
    const idle = await open()
    await settle(idle.governed)
    await open()
    expect(holders.map((giveBack) => giveBack())).toEqual([true, false])
    expect(freeCount()).toBe(1)
  })
})
