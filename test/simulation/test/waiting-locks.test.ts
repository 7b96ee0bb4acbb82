import { describe, expect, it } from 'vitest'

import { Session } from '../session.ts'
import { WaitingLocks } from '../waiting-locks.ts'
import { World } from '../world.ts'

function scene(): { world: World; locks: WaitingLocks; at: (ms: number, work: () => void) => void } {
  const world = new World(1)
  // From the beginning of a step of two seconds on.
  const startMs = 2_000 - (world.epochMs % 2_000)
  return { world, locks: new WaitingLocks(world), at: (ms, work) => world.at(startMs + ms, work) }
}

const session = (waitedMs: number): Session => new Session(1, 0, 1_000, waitedMs)

describe('the locks that tell waits', () => {
  it('tell each length once, by half a doubling, for this step of time and the next', async () => {
    const { world, locks, at } = scene()
    const told: (readonly number[])[] = []
    at(0, () => {
      for (const waitedMs of [0, 40, 55, 190, 210, 280, 1_600, 60_000]) locks.add(session(waitedMs))
      told.push(locks.waitsMs())
    })
    at(3_999, () => told.push(locks.waitsMs()))
    at(4_000, () => told.push(locks.waitsMs()))
    await world.run(10_000, () => false)
    const lengths = [50, 200, expect.closeTo(282.8, 1), 1_600, 6_400]
    expect(told).toEqual([lengths, lengths, []])
  })

  it('are let go with the session that took them, though others waited as long', async () => {
    const { world, locks, at } = scene()
    const first = session(800)
    const second = session(810)
    const told: (readonly number[])[] = []
    at(0, () => {
      locks.add(first)
      locks.add(second)
      locks.remove(second)
      told.push(locks.waitsMs())
      locks.remove(first)
      told.push(locks.waitsMs())
    })
    await world.run(10_000, () => false)
    expect(told).toEqual([[800], []])
  })
})
