import { formatLabel, viewOf } from '@leasehold/core'
import { describe, expect, it } from 'vitest'

import { SeededRandom } from '../random.ts'
import { Session } from '../session.ts'
import { WaitingLabels } from '../waiting-labels.ts'
import { World } from '../world.ts'

const FLEET = 'leasehold'
const END_MS = 9_000

type View = ReturnType<typeof viewOf>

/** What all labels say, and what the one says. */
async function viewsOf(seed: number, count: number): Promise<readonly [View, View]> {
  const random = new SeededRandom(seed)
  const world = new World(seed)
  const waiting = new WaitingLabels(world)
  const sessions: Session[] = []
  for (let index = 0; index < count; index += 1) {
    const waitedMs = random.next() < 0.3 ? 0 : Math.round(20_000 * random.next())
    const isGone = random.next() < 0.3
    world.at(END_MS * random.next(), () => {
      const session = new Session(index, world.nowMs, 1_000, waitedMs)
      waiting.add(session)
      if (isGone) waiting.remove(session)
      else sessions.push(session)
    })
  }
  world.at(END_MS, () => {})
  await world.run(END_MS, () => false)
  const labels = sessions.map(({ waitedMs, openedMs }) =>
    formatLabel({
      fleet: FLEET,
      name: 'one',
      waitedMs,
      openedEpochMs: world.epochMs - world.nowMs + openedMs,
    }),
  )
  const seen = (texts: readonly string[]): View =>
    viewOf(
      { usedCount: 1, slotCount: 2, labels: texts, refusedCount: undefined },
      FLEET,
      world.epochMs,
      undefined,
    )
  return [seen(labels), seen(waiting.labels(FLEET))]
}

describe('the one label in place of many', () => {
  it('tells the policy what all of them would', async () => {
    for (let seed = 0; seed < 100; seed += 1) {
      const [all, one] = await viewsOf(seed, seed % 12)
      expect(one.waiting).toBe(all.waiting)
      expect(one.typicalWaitMs ?? -1).toBeCloseTo(all.typicalWaitMs ?? -1, -0.5)
    }
  })
})
