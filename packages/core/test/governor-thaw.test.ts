// A census may be under way when the environment is frozen: its answer waits, and the session may not.

import { describe, expect, it } from 'vitest'

import { governedScene } from './governed-scene.ts'

describe('a connection whose census was sent before a freeze', () => {
  it('is pinged although the census is answered after the thaw', async () => {
    const { governor, clock, open } = governedScene({ pingAfterIdleMs: 1_000 }, { roundTripMs: 5 })
    const opening = open()
    await clock.advance(5)
    const { governed } = await opening
    governor.checkin(governed)
    await clock.advance(1)
    clock.freeze(1_500)
    expect(governor.checkout(governed)).toBe('verify')
    const alive = governor.alive(governed)
    await clock.advance(20)
    expect(await alive).toBe(true)
    expect(governor.stats).toMatchObject({ censuses: 1, pinged: 1 })
  })
})
