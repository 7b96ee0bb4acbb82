// Where theory knows the answer the simulator must give it.
import { describe, expect, it } from 'vitest'

import { nextArrivalMs, poisson } from '../arrivals.ts'
import { Cores } from '../cores.ts'
import { World } from '../world.ts'

/** Mean wait of M/M/c in milliseconds, by Erlang's C formula. */
function erlangWaitMs(servers: number, arrivalsPerMs: number, serviceMs: number): number {
  const offered = arrivalsPerMs * serviceMs
  let term = 1
  let sum = 1
  for (let busy = 1; busy < servers; busy += 1) {
    term *= offered / busy
    sum += term
  }
  const last = ((term * offered) / servers) * (servers / (servers - offered))
  return ((last / (sum + last)) * serviceMs) / (servers - offered)
}

async function simulatedWaitMs(servers: number, perS: number, serviceMs: number): Promise<number> {
  const world = new World(7)
  const cores = new Cores(world, servers)
  const arrivals = poisson(perS)
  let waitedMs = 0
  let count = 0
  const arrive = (): void => {
    const cameMs = world.nowMs
    const ownMs = world.loadRandom.exponential(serviceMs)
    cores.run(ownMs, () => {
      waitedMs += world.nowMs - cameMs - ownMs
      count += 1
    })
    world.at(nextArrivalMs(arrivals, world.nowMs, world.loadRandom), arrive)
  }
  world.after(0, arrive)
  await world.run(2_000_000, () => false)
  return waitedMs / count
}

describe('cores as a queue', () => {
  it.each([
    [1, 70],
    [2, 150],
    [4, 340],
  ])('make jobs wait as Erlang says, with %i servers and %i jobs/s of 10 ms', async (servers, perS) => {
    const expected = erlangWaitMs(servers, perS / 1_000, 10)
    const waitedMs = await simulatedWaitMs(servers, perS, 10)
    expect(waitedMs / expected).toBeGreaterThan(0.93)
    expect(waitedMs / expected).toBeLessThan(1.07)
  })
})
