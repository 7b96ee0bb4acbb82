// Plays a scenario: every load at its time, and what vanishes at its.
import { setTimeout as sleep } from 'node:timers/promises'

import type { Environments } from './environments.ts'
import { runClosed, runOpen } from './loads.ts'
import type { Recorder } from './recorder.ts'
import type { Scenario } from './scenarios.ts'

/** Numerical Recipes' linear congruential generator. */
const LCG = { factor: 1_664_525, increment: 1_013_904_223, modulus: 2 ** 32 }

/** Resolves when all that was sent is answered. Requests of an open loop come alike whoever is measured. */
export async function play(
  scenario: Scenario,
  fleets: ReadonlyMap<string, Environments>,
  recorder: Recorder,
): Promise<void> {
  const firsts = new Map<string, number>()
  let count = 0
  for (const [name, fleet] of fleets) {
    firsts.set(name, count)
    count += fleet.count
  }
  const fleetOf = (name: string): Environments => {
    const fleet = fleets.get(name)
    if (fleet === undefined) throw new Error(`${scenario.name} has no fleet called ${name}`)
    return fleet
  }
  const loads = scenario.loads.map((load, index) => {
    const to = { index, environments: fleetOf(load.fleet), firstEnvironment: firsts.get(load.fleet) ?? 0 }
    return load.kind === 'closed'
      ? runClosed({ load, ...to }, recorder)
      : runOpen({ load, ...to }, recorder, randomOf(index + 1))
  })
  const { vanish } = scenario
  if (vanish !== undefined) {
    const taken = sleep(Math.max(0, vanish.atMs - recorder.elapsedMs)).then(() =>
      fleetOf(vanish.fleet).vanish(),
    )
    loads.push(taken)
  }
  await Promise.all(loads)
}

function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * LCG.factor + LCG.increment) % LCG.modulus
    return state / LCG.modulus
  }
}
