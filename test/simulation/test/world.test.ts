import { describe, expect, it } from 'vitest'

import { EnvironmentClock } from '../environment-clock.ts'
import { World } from '../world.ts'

const never = (): boolean => false

describe('the simulated world', () => {
  it('lets promises settle before time goes on', async () => {
    const world = new World(1)
    const seen: string[] = []
    world.after(1, () => {
      world.promised()
      void Promise.resolve()
        .then(() => undefined)
        .then(() => seen.push(`settled at ${world.nowMs}`))
    })
    world.after(2, () => seen.push('later'))
    await world.run(10, never)
    expect(seen).toEqual(['settled at 1', 'later'])
  })

  it('runs nothing that is due after the end', async () => {
    const world = new World(1)
    let ran = false
    world.after(11, () => {
      ran = true
    })
    await world.run(10, never)
    expect(ran).toBe(false)
  })
})

describe('the clock of an environment', () => {
  it('runs at the thaw what fell due while it was frozen', async () => {
    const world = new World(1)
    const clock = new EnvironmentClock(world)
    const ran: number[] = []
    clock.later(5, () => ran.push(world.nowMs))
    world.after(1, () => clock.freeze())
    world.after(50, () => clock.thaw())
    await world.run(100, never)
    expect(ran).toEqual([50])
  })

  it('runs no sleep that was aborted', async () => {
    const world = new World(1)
    const clock = new EnvironmentClock(world)
    const stop = new AbortController()
    const outcome = clock.sleep(5, stop.signal).then(
      () => 'slept',
      () => 'aborted',
    )
    world.after(1, () => stop.abort())
    await world.run(100, never)
    expect(await outcome).toBe('aborted')
  })
})
